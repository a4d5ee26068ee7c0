\set n random(1, 5)
CALL act('train', format('SELECT FROM mf_train(''ratings'', %L, factors => 8, iterations => 1, options => ''{"ranking_iterations": 1}'')', 'passing ' || :n::int));
