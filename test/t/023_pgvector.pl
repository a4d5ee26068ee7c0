# Factors in pgvector: ranking_factors::vector with <#> orders as mf_recommend does, and an index of approximate neighbours
# on exported factors finds what the exact list has.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $packaged = $node->safe_psql('postgres', q{
    SELECT coalesce(max(string_to_array(default_version, '.')::int[]) >= '{0,5,0}', false) FROM pg_available_extensions WHERE name = 'vector'});
if ($packaged ne 't') {
    $node->stop;
    plan skip_all => 'pgvector 0.5 or later is not installed';
}
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE EXTENSION vector;
    -- 1,000 users and 4,000 items of 20 tastes, popular items first in each; every user has two tastes and some noise.
    SELECT setseed(0.5);
    CREATE TABLE plays AS
        SELECT DISTINCT u AS user_id,
               CASE WHEN n % 6 = 0 THEN 1 + floor(4000 * random())::int
                    ELSE 20 * floor(200 * random() * random())::int + (CASE WHEN n % 3 = 0 THEN 7 * u + u / 20 ELSE u END) % 20 + 1 END AS item_id
          FROM generate_series(1, 1000) u, generate_series(1, 60) n;
    CREATE INDEX ON plays (user_id);
    SELECT FROM mf_train('plays', feedback => 'implicit', rating_column => NULL, factors => 32, iterations => 8);
});

# The exact order. Both compute in single precision, each in its own order of sums: items whose scores differ by no more
# than that may change places.
$node->safe_psql('postgres', q{
    CREATE TABLE users AS SELECT user_id::int, ranking_factors::vector(32) AS v FROM mf_user_factors WHERE user_id::int <= 100;
    CREATE TABLE items AS SELECT item_id::int, ranking_factors::vector(32) AS v FROM mf_item_factors;
    CREATE TABLE ours AS
        SELECT user_id, l.item_id, l.score, l.rank
          FROM users, mf_recommend(user_id, 10, exclude_seen => false) WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, rank);
    CREATE TABLE exact AS
        SELECT user_id, l.* FROM users u,
               LATERAL (SELECT item_id, -(i.v <#> u.v) AS score, row_number() OVER (ORDER BY i.v <#> u.v, item_id) AS rank
                          FROM items i ORDER BY rank LIMIT 10) l;
});
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT user_id), count(DISTINCT item_id) > 100 FROM ours'), '1000|100|t',
    'lists of 100 users');
is($node->safe_psql('postgres', q{SELECT count(*) FROM mf_user_factors, mf_recommend(user_id::int, 1) WHERE user_id::int <= 100 AND basis <> 'trained'}),
    '0', 'the stored factors are the ones that serve');
is($node->safe_psql('postgres', q{
    SELECT count(*), count(*) FILTER (WHERE abs(o.score - e.score) <= 1e-5 * greatest(abs(o.score), 0.1))
      FROM ours o JOIN exact e USING (user_id, rank)}), '1000|1000', 'the same scores at every rank');
is($node->safe_psql('postgres', q{
    SELECT count(*) FROM ours o JOIN exact e USING (user_id, rank)
     WHERE o.item_id <> e.item_id
       AND abs((SELECT i.v <#> u.v FROM items i, users u WHERE i.item_id = o.item_id AND u.user_id = o.user_id) + e.score) > 1e-6 * greatest(abs(e.score), 0.1)}),
    '0', 'and the same items, but for ties');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM ours JOIN exact USING (user_id, rank, item_id)'), '>=', 990, 'which are few');

# An index of approximate neighbours on the exported factors.
$node->safe_psql('postgres', 'CREATE INDEX ON items USING hnsw (v vector_ip_ops); ANALYZE items');
my $approximate = q{SELECT item_id FROM items i ORDER BY i.v <#> u.v LIMIT 10};
my $setup = 'SET hnsw.ef_search = 200; SET enable_seqscan = off; SET enable_sort = off;';
like($node->safe_psql('postgres', "$setup EXPLAIN SELECT item_id FROM items ORDER BY v <#> (SELECT v FROM users WHERE user_id = 7) LIMIT 10"),
    qr/Index Scan using items_v_idx/, 'the index is used');
my $recall = $node->safe_psql('postgres', qq{$setup
    SELECT count(o.item_id) / 1000.0 FROM users u CROSS JOIN LATERAL ($approximate) a LEFT JOIN ours o ON o.user_id = u.user_id AND o.item_id = a.item_id});
cmp_ok($recall, '>=', 0.95, 'recall@10 of the index');
note("recall\@10: $recall");
$node->stop;
done_testing();
