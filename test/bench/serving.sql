-- What `serving` records in addition, and its targets.
CREATE TABLE bench.private (label text, kb float8);
CREATE TABLE bench.all_rows (rows bigint, users bigint, score float8);

CREATE FUNCTION bench.median_core(wanted text) RETURNS float8 STABLE LANGUAGE sql AS
$$ SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY cpu) FROM bench.core WHERE name ~ ('^' || wanted || '(/repeats:.*)?$') $$;

CREATE FUNCTION bench.median_private(wanted text) RETURNS float8 STABLE LANGUAGE sql AS
$$ SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY kb) FROM bench.private WHERE label = wanted $$;

INSERT INTO bench.goals VALUES
    ('top 10 in the core, 26744 trained items: us', NULL, -1, 10),
    ('top 10 in the core, a million items with skewed norms: us', NULL, -1, 150),
    ('top 10 in the core, a million items with equal norms: us', NULL, -1, 5000),
    ('mf_recommend(u, 10), implicit, trained: times SELECT 1', NULL, -1, 8),
    ('mf_recommend(u, 10), implicit, folded: times SELECT 1', NULL, -1, 15),
    ('mf_recommend(u, 10), explicit, trained: times SELECT 1', NULL, -1, 8),
    ('mf_recommend(u, 10), explicit, folded: times SELECT 1', NULL, -1, 15),
    ('first mf_recommend of a connection, implicit: ms', NULL, -1, 5),
    ('first mf_recommend of a connection, explicit: ms', NULL, -1, 5),
    -- Nothing that grows with the items may be private; pages that only happen to differ are not counted.
    ('second connection: private share of the item factors', NULL, -1, 0.02),
    ('mf_recommend_all(10): CPU s', 'S20', -1, 2.2),
    ('mf_recommend_all(10), rows in the order of time: times the order of users', 'S20', -1, 1.3),
    ('mf_recommend_all(10): seconds passed per CPU s', 'S20', -1, 0.6),
    ('mf_recommend_all(10), all items and users named: times the same without a filter', 'S20', -1, 1.3),
    ('mf_recommend_all(10), half of the items, most users: times the same without a filter', 'S20', -1, 1.3),
    ('mf_recommend_all(10), 5000 users: times the same without a filter', 'S20', -1, 0.2),
    ('mf_recommend_users(i, 10): CPU ms more than reading the users', 'S20', -1, 20),
    ('mf_recommend(u, 10), diversity 0: times the same without the argument', NULL, -1, 1.1),
    ('mf_evaluate(10): CPU s', 'S20', -1, 15),
    ('mf_evaluate(10): times mf_recommend_all(10)', 'S20', -1, 3),
    ('mf_evaluate(20000), 2000 users: seconds passed per CPU s', 'S20', -1, 0.75),
    ('mf_recommend(u, 10), rows in the order of users: ms more than the history', 'S20', -1, 0.04),
    ('mf_recommend(u, 10), rows in the order of time: ms more than the history', 'S20', -1, 0.04),
    ('first list after a publication: ms', 'S20', -1, 10),
    ('mf_recommend_all(10): MB of memory', 'S20', -1, 100),
    ('mf_predict, implicit, pairs grouped by user: us a pair', NULL, -1, 3),
    ('mf_predict, explicit, pairs grouped by user: us a pair', NULL, -1, 3);
