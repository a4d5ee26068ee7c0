# A hundred sessions request lists while the model is trained again fifty times: there is no error, and each list comes
# from one version, the one that is live under the snapshot of its statement.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_connections = 130");
$node->start;
# Every call of check_list checks the scores of a list, which must be products of the live version's factors, and its
# predicted ratings, which must equal those of mf_predict. Histories do not change, so the user's stored factors are
# used.
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT (n % 1000)::integer AS user_id, (n * 7919 + n / 1000) % 500 AS item_id, 1 + n % 5 AS rating
          FROM generate_series(1, 40000) n;
    CREATE INDEX ON ratings (user_id);
    CREATE TABLE served (version integer);
    CREATE VIEW lists AS
        SELECT u AS user_id, m.model_id, m.version, l.item_id, l.basis, l.score, l.predicted_rating,
               mf_predict(u, l.item_id, 'ratings') AS prediction
          FROM generate_series(0, 999::bigint) u, mf_models m, mf_recommend(u, 10, 'ratings') l WHERE m.live;
    CREATE FUNCTION check_list(u bigint, of_version integer DEFAULT NULL) RETURNS integer LANGUAGE plpgsql AS $$
    DECLARE
        list record;
    BEGIN
        SELECT count(*) AS items, min(l.version) AS version, max(l.version) AS last_version, min(l.basis) AS basis, max(l.basis) AS last_basis,
               max(abs(score - (SELECT sum(a * b) FROM unnest(uf.ranking_factors, i.ranking_factors) AS x (a, b)))) AS error,
               max(abs(predicted_rating - prediction)) AS prediction_error
          INTO list
          FROM lists l JOIN mf_models m ON m.version = coalesce(of_version, l.version)
          JOIN mf_user_factors uf ON uf.model_id = m.model_id AND uf.user_id = l.user_id::text
          JOIN mf_item_factors i ON i.model_id = m.model_id AND i.item_id = l.item_id::text
         WHERE l.user_id = u;
        IF list.items <> 10 OR list.version <> list.last_version OR list.basis <> 'trained' OR list.last_basis <> 'trained'
           OR list.error > 1e-5 OR list.prediction_error > 0 THEN
            RAISE EXCEPTION 'a list of no version: %', list;
        END IF;
        RETURN list.version;
    END $$;
});
# Versions differ by their seeds, and retrained ones by their start.
my $options = q{factors => 8, iterations => 1, options => '{"ranking_iterations": 1}'};
$node->safe_psql('postgres', "SELECT FROM mf_train('ratings', seed => $_, $options)") for 1, 2;
is($node->safe_psql('postgres', 'SELECT check_list(7)'), '2', 'a list of the live version');
my ($status, $out, $err) = $node->psql('postgres', 'SELECT check_list(7, 1)');
like($err, qr/a list of no version/, 'scores of another version would be noticed');

# Each training run waits until a list of the previous version was served, for a minute at most.
my $statements = $node->basedir . '/trainings.sql';
for my $n (3 .. 52) {
    append_to_file($statements, ($n % 2 ? "SELECT version FROM mf_train('ratings', seed => $n, $options);" : "SELECT version FROM mf_retrain('ratings');")
        . " DO 'BEGIN FOR i IN 1 .. 3000 LOOP EXIT WHEN EXISTS (SELECT FROM served WHERE version = $n); PERFORM pg_sleep(0.02); END LOOP; END';\n");
}
my ($trained, $train_err) = ('', '');
my $training = IPC::Run::start(
    [ $node->installed_command('psql'), '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $statements ],
    '<', \undef, '>', \$trained, '2>', \$train_err, IPC::Run::timeout(1200));
# Limits the rate of calls, so that training gets some of the processors' time.
my $list = "\\set u random(0, 999)\nSELECT check_list(:u::bigint);\n";
my $note = "\\set u random(0, 999)\nINSERT INTO served SELECT check_list(:u::bigint);\n";
for my $round (1 .. 90) {
    $node->pgbench('-n -M prepared -c 100 -j 2 -T 10 -R 250', 0, [qr/number of failed transactions: 0 /], [qr/^$/],
        "a hundred sessions, round $round", { "list$round\@1" => $list, "note$round\@1" => $note });
    last if $node->safe_psql('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE query ~ 'mf_(re)?train|pg_sleep' AND pid <> pg_backend_pid()}) eq 't';
}
$training->finish;
is($train_err, '', 'no training fails');
is($trained, join('', map { "$_\n" } 3 .. 52), 'fifty new versions');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT version) FROM served WHERE version > 2'), '50', 'lists were served from each of them');
is($node->safe_psql('postgres', 'SELECT check_list(7)'), '52', 'the last one serves');
is($node->safe_psql('postgres', 'SELECT string_agg(version::text, $$ $$ ORDER BY version) FROM mf_models'), '51 52', 'two versions are kept');
is($node->safe_psql('postgres', 'SELECT count(*) FROM mf_cache WHERE version < 51'), '0', 'and no others are in memory');
note $node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT version) FROM served');

$node->stop;
done_testing();
