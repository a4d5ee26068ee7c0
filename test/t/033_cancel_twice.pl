# Many cancel the same job at once: it is cancelled, once, and its worker ends as after a single cancel.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'max_worker_processes = 12');
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT n % 300 AS user_id, (n * 7919 + n / 300) % 200 AS item_id, 1 + n % 5 AS rating FROM generate_series(1, 9000::bigint) n;
    CREATE INDEX ON ratings (user_id);
    CREATE TABLE begun (job bigint);
});
# Each client cancels whatever runs, over and over, while one starts jobs.
$node->pgbench('-n -c 8 -j 2 -T 8', 0, [qr/number of failed transactions: 0 /], [qr/^$/], 'jobs that are cancelled by all', {
    'start@1' => q{
        DO $$ BEGIN
            INSERT INTO begun SELECT mf_train_async('ratings', 'long ' || pg_backend_pid(), factors => 64, iterations => 1000, options => '{"ranking_iterations": 1000}');
        EXCEPTION WHEN configuration_limit_exceeded THEN NULL; END $$;
        \sleep 20 ms
    },
    'cancel@12' => q{SELECT mf_cancel_job(job_id) FROM mf_jobs WHERE status IN ('queued', 'running') ORDER BY random() LIMIT 1} });
$node->safe_psql('postgres', q{SELECT mf_cancel_job(job_id) FROM mf_jobs WHERE status IN ('queued', 'running')});
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'mf_ext job'}) or die 'workers stay';
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT concat_ws(': ', status, CASE WHEN status <> 'cancelled' THEN message END), ', ') FROM mf_jobs}), 'cancelled', 'each is cancelled');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM begun'), '>', 20, 'there were many');
unlike(slurp_file($node->logfile), qr/ERROR:  canceling statement/, 'no worker fell over the second cancel');
$node->stop;
done_testing();
