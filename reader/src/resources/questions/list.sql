-- GET /qa/questions: one page of a product's questions, helpfulness descending, ties by id, each with all of its answers
-- in the same order, keyed by id.
-- $1 product id, $2 rows before the page, $3 rows of the page. Answer: one row; no results for an unknown product.
-- Asking for the catalogue keeps a replica that is still importing, and so without these indexes, from reading all
-- questions.
-- Indexes: questions_helpful, answers_helpful, answer_photos_answer_id; checkpoint and catalogue have one row.
select
    checkpoint.epoch,
    checkpoint.position,
    (
        select
            concat(
                '{"product_id":"', $1::bigint, '","results":[',
                string_agg(
                    concat(
                        '{"question_id":', question.id,
                        ',"question_body":', to_json(question.body),
                        ',"question_date":"', to_char(question.date, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                        '","asker_name":', to_json(question.asker_name),
                        ',"question_helpfulness":', question.helpfulness,
                        ',"reported":false,"answers":{',
                        (
                            select
                                string_agg(
                                    concat(
                                        '"', answer.id,
                                        '":{"id":', answer.id,
                                        ',"body":', to_json(answer.body),
                                        ',"date":"', to_char(answer.date, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                                        '","answerer_name":', to_json(answer.answerer_name),
                                        ',"helpfulness":', answer.helpfulness,
                                        ',"photos":[',
                                        (
                                            select string_agg(to_json(url)::text, ',' order by id)
                                            from answer_photos
                                            where answer_id = answer.id
                                        ),
                                        ']}'
                                    ),
                                    ','
                                    order by answer.helpfulness desc, answer.id
                                )
                            from answers as answer
                            where answer.question_id = question.id and not answer.reported
                        ),
                        '}}'
                    ),
                    ','
                ),
                ']}'
            )
        from (
            select id, body, date, asker_name, helpfulness
            from questions
            where
                product_id = $1::bigint
                and not reported
                and exists (select from catalogue where closed is not null)
            order by helpfulness desc, id
            limit $3::bigint offset $2::bigint
        ) as question
    ) as document
from checkpoint
where checkpoint.only_row
