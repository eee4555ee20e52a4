insert into interactions
select id, 'button.add-' || id % 97, 'overview', 'Mon Nov 23 2026 15:50:00', timestamp '2026-01-01' + id * interval '1 ms'
from generate_series(1, {part} * 4) as id;
insert into skus
select 100000000 + id, id % 500000, 'XL', id % 50
from generate_series(1, {part} * 3) as id;
insert into review_photos
select 100000000 + id, id % 900000, 'https://images.example/photo-' || id || '.jpg'
from generate_series(1, {part} * 2) as id;
insert into questions
select
    100000000 + id, 1 + id % 200, 'Does it come in size ' || id || '? I have looked everywhere and could not find it.',
    timestamp '2026-01-01' + id * interval '1 second', 'shopper-' || id % 1000, 'sealed1.none.AAAA', false, id % 50
from generate_series(1, {part}) as id;
vacuum analyze interactions, skus, review_photos, questions
