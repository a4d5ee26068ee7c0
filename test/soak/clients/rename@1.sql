\set n random(1, 5)
CALL act('rename', format('SELECT mf_rename_model(%L, %L)', 'passing ' || :n, 'renamed ' || :n::int));
CALL act('list', format('SELECT count(*) FROM mf_recommend(7, 5, %L)', 'renamed ' || :n::int));
CALL act('drop', format('SELECT mf_drop_model(%L)', 'renamed ' || :n::int));
