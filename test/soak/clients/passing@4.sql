\set n random(1, 5)
\set u random(0, 999)
CALL act('list', format('SELECT count(*) FROM mf_recommend(%s::bigint, 5, %L)', :u::int, 'passing ' || :n::int));
