-- GET /qa/questions/:question_id/answers: one page of a question's answers, helpfulness descending, ties by id.
-- $1 question id, $2 rows before the page, $3 rows of the page, $4 the page's number, which the answer repeats. Answer:
-- one row; no results for an unknown question.
-- Asking for the catalogue keeps a replica that is still importing, and so without these indexes, from reading all
-- answers.
-- Indexes: answers_helpful, answer_photos_answer_id; checkpoint and catalogue have one row.
select
    checkpoint.epoch,
    checkpoint.position,
    (
        select
            concat(
                '{"question":"', $1::bigint, '","page":', $4::bigint, ',"count":', $3::bigint, ',"results":[',
                string_agg(
                    concat(
                        '{"answer_id":', answer.id,
                        ',"body":', to_json(answer.body),
                        ',"date":"', to_char(answer.date, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                        '","answerer_name":', to_json(answer.answerer_name),
                        ',"helpfulness":', answer.helpfulness,
                        ',"photos":[',
                        (
                            select string_agg(concat('{"id":', id, ',"url":', to_json(url), '}'), ',' order by id)
                            from answer_photos
                            where answer_id = answer.id
                        ),
                        ']}'
                    ),
                    ','
                ),
                ']}'
            )
        from (
            select id, body, date, answerer_name, helpfulness
            from answers
            where
                question_id = $1::bigint
                and not reported
                and exists (select from catalogue where closed is not null)
            order by helpfulness desc, id
            limit $3::bigint offset $2::bigint
        ) as answer
    ) as document
from checkpoint
where checkpoint.only_row
