-- Bytes of a replica's database, indexes included, and of the sealed addresses in it.
select
    pg_database_size(current_database()) as database,
    (
        (select coalesce(sum(octet_length(reviewer_email)), 0) from live.reviews)
        + (select coalesce(sum(octet_length(asker_email)), 0) from live.questions)
        + (select coalesce(sum(octet_length(answerer_email)), 0) from live.answers)
    )::bigint as sealed
