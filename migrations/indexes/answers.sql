-- The one order of GET /qa/questions/:id/answers, which also finds the answers of a page of questions; reported answers
-- are never listed.
create index answers_helpful on answers (question_id, helpfulness desc, id) where not reported;
create index answer_photos_answer_id on answer_photos (answer_id, id);
