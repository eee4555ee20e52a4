-- The one order of GET /qa/questions; reported questions are never listed.
create index questions_helpful on questions (product_id, helpfulness desc, id) where not reported;
