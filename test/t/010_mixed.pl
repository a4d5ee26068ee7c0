# Lists, new ratings and retraining from many connections at once: no error, and no list with an item that the user has
# under the same snapshot. (test/bench/mixed measures the same for longer.)
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT (n % 1000)::integer AS user_id, (n * 7919 + n / 1000) % 500 AS item_id, 1 + n % 5 AS rating
          FROM generate_series(1, 40000) n;
    CREATE INDEX ON ratings (user_id);
    SELECT mf_train('ratings', factors => 16, iterations => 2, options => '{"ranking_iterations": 2}');
    CREATE FUNCTION check_list(listed bigint, seen bigint) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        IF listed <> 10 THEN RAISE EXCEPTION 'the list has % rows', listed; END IF;
        IF seen > 0 THEN RAISE EXCEPTION 'the user has seen % rows of the list', seen; END IF;
    END $$;
});

# Users beyond 999 are new ones.
my $list = q{
\set u random(0, 1050)
SELECT check_list(count(*), count(s.item_id))
  FROM mf_recommend(:u::bigint, 10, 'ratings') r
       LEFT JOIN (SELECT DISTINCT item_id FROM ratings WHERE user_id = :u) s ON s.item_id = r.item_id;
};
# The next list in the same transaction sees the row. Its item was the best of a list, so it would be there again.
my $insert = q{
\set u random(0, 1050)
BEGIN;
INSERT INTO ratings SELECT :u, item_id, 4 FROM mf_recommend(:u::bigint, 1, 'ratings');
SELECT check_list(count(*), count(s.item_id))
  FROM mf_recommend(:u::bigint, 10, 'ratings') r
       LEFT JOIN (SELECT DISTINCT item_id FROM ratings WHERE user_id = :u) s ON s.item_id = r.item_id;
COMMIT;
};

# The check itself: it refuses a list with an item that the user has seen.
my ($status, $out, $err) = $node->psql('postgres', q{
    SELECT check_list(count(*), count(s.item_id))
      FROM mf_recommend(7, 10, exclude_seen => false, candidates => ARRAY(SELECT item_id::bigint FROM ratings WHERE user_id = 7)) r
           LEFT JOIN (SELECT DISTINCT item_id FROM ratings WHERE user_id = 7) s ON s.item_id = r.item_id});
like($err, qr/the user has seen 10 rows of the list/, 'a list of seen items would be noticed');

# Another client retrains repeatedly while the eight request lists and insert.
my ($retrain_out, $retrain_err) = ('', '');
my $retraining = IPC::Run::start(
    [ $node->installed_command('psql'), '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'),
        map { ('-c', "SELECT version FROM mf_retrain('ratings')", '-c', 'DO $$ BEGIN PERFORM pg_sleep(0.3); END $$') } 1 .. 10 ],
    '<', \undef, '>', \$retrain_out, '2>', \$retrain_err, IPC::Run::timeout(600));
# Until the model was retrained a few times, however long that takes.
my $versions = 0;
for my $round (1 .. 60) {
    $node->pgbench('-n -M prepared -c 8 -j 2 -T 2', 0, [qr/number of failed transactions: 0 /], [qr/^$/],
        "lists and ratings while the model is trained again and again, round $round", { "list$round\@4" => $list, "insert$round\@1" => $insert });
    $versions = $node->safe_psql('postgres', 'SELECT max(version) FROM mf_models');
    last if $versions > 4;
}
cmp_ok($versions, '>', 4, 'it was, meanwhile');
$retraining->finish;
is($retrain_err, '', 'no retraining fails');
is($retrain_out, join('', map { "$_\n" } 2 .. 11), 'ten new versions');

is($node->safe_psql('postgres', q{SELECT count(*) > 40000 FROM ratings}), 't', 'there are new ratings');
is($node->safe_psql('postgres', q{SELECT count(*), max(version) FROM mf_models}), '2|11', 'versions beyond two are gone');
is($node->safe_psql('postgres', q{SELECT count(*) FROM mf_cache c WHERE NOT EXISTS (SELECT FROM mf_models m WHERE m.model_id = c.model_id)}),
    '0', 'and out of the cache');

$node->stop;
done_testing();
