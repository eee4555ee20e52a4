-- What each role may do in a generation. Run by the owner, safe to repeat. Index: none.
grant usage on schema {schema} to atelier_projector, atelier_reader, atelier_writer;
grant select, insert, update, delete on all tables in schema {schema} to atelier_projector;

grant select on
    {schema}.checkpoint,
    {schema}.catalogue,
    {schema}.product_documents,
    {schema}.review_totals,
    {schema}.characteristic_totals,
    {schema}.answer_photos,
    {schema}.cart_lines
to atelier_reader;
-- Every column but the sealed addresses.
grant select (
    id, product_id, rating, date, summary, body, recommend, reported, reviewer_name, response, helpfulness, photos
) on {schema}.reviews to atelier_reader;
grant select (id, product_id, body, date, asker_name, reported, helpfulness) on {schema}.questions to atelier_reader;
grant select (id, question_id, body, date, answerer_name, reported, helpfulness) on {schema}.answers to atelier_reader;

-- Reference checks and outcomes.
grant select on
    {schema}.checkpoint,
    {schema}.catalogue,
    {schema}.products,
    {schema}.skus,
    {schema}.characteristics,
    {schema}.rejections,
    {schema}.idempotency_keys
to atelier_writer;
grant select (id, product_id) on {schema}.reviews to atelier_writer;
grant select (id) on {schema}.questions to atelier_writer;
grant select (id) on {schema}.answers to atelier_writer;
