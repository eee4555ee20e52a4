-- Some ids that the import brought: skus, reviews, questions, answers.
select
    (select array_agg(id order by id) from live.skus where id % 20 = 0) as skus,
    (select array_agg(id order by id) from live.reviews where id % 5 = 0 and id < 1000000000) as reviews,
    (select array_agg(id order by id) from live.questions where id % 5 = 0 and id < 1000000000) as questions,
    (select array_agg(id order by id) from live.answers where id % 5 = 0 and id < 1000000000) as answers
