# The search for numbers that are not given: seen in mf_progress, cancelled at once, in a job as well.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "mf_ext.search = on\nfsync = off");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT u AS user_id, (u % 40 + 40 * (mf_fold(u, n, 50) + mf_fold(u, n, 2, 2))) % 2000 AS item_id, (1 + mf_fold(u, n, 5, 3))::real AS rating
          FROM generate_series(1, 4000) u, generate_series(1, 60) n;
    CREATE INDEX ON ratings (user_id);
    ANALYZE ratings;
});

my $job = $node->safe_psql('postgres', q{SELECT mf_train_async('ratings', 'job')});
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM mf_progress WHERE model = 'job' AND phase = 'search' AND iterations_done > 0}),
    'the points of the search are counted');
my $began = time;
$node->safe_psql('postgres', "SELECT mf_cancel_job($job)");
ok($node->poll_query_until('postgres', "SELECT status = 'cancelled' FROM mf_jobs WHERE job_id = $job"), 'a job is cancelled while it searches');
cmp_ok(time - $began, '<', 5, 'at once');

for my $timeout (100, 300, 700) {
    $began = time;
    my ($status, $out, $err) = $node->psql('postgres', "SET statement_timeout = $timeout; SELECT FROM mf_train('ratings')");
    like($err, qr/canceling statement due to statement timeout/, "a search ends after $timeout ms");
    cmp_ok(time - $began, '<', $timeout / 1000 + 1, 'soon');
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM mf_models'), '0', 'and nothing is left of it');

is( $node->safe_psql('postgres', q{SELECT array(SELECT jsonb_object_keys(found) ORDER BY 1) FROM mf_train('ratings')}),
    '{factors,ranking_regularization,rating_factors,regularization,unobserved_weight}', 'everything is found');
$job = $node->safe_psql('postgres', q{SELECT mf_train_async('ratings', 'job')});
ok($node->poll_query_until('postgres', "SELECT status = 'done' FROM mf_jobs WHERE job_id = $job"), 'by a job as well');
is( $node->safe_psql('postgres', q{SELECT count(DISTINCT parameters -> 'found') FROM mf_models}), '1', 'the same numbers');
$node->stop;
done_testing();
