\set n random(1, 5)
CALL act('set_live', format('SELECT mf_set_live(%L, 1)', 'passing ' || :n::int));
CALL act('drop', format('SELECT mf_drop_model(%L)', 'passing ' || :n::int));
