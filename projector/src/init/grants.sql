-- What each role may do in a generation. Run by the owner, safe to repeat.
grant usage on schema {schema} to atelier_projector, atelier_reader, atelier_writer;
grant select, insert, update, delete on all tables in schema {schema} to atelier_projector;

grant select on
    {schema}.checkpoint,
    {schema}.catalogue,
    {schema}.product_documents,
    {schema}.review_photos,
    {schema}.review_totals,
    {schema}.characteristic_totals
to atelier_reader;
-- Every column of a review but the sealed address.
grant select (
    id, product_id, rating, date, summary, body, recommend, reported, reviewer_name, response, helpfulness
) on {schema}.reviews to atelier_reader;

-- Reference checks and outcomes.
grant select on
    {schema}.checkpoint,
    {schema}.catalogue,
    {schema}.products,
    {schema}.characteristics,
    {schema}.rejections,
    {schema}.idempotency_keys
to atelier_writer;
grant select (id, product_id) on {schema}.reviews to atelier_writer;
