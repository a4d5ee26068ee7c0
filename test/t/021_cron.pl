# The line of docs/training.md that trains every night, here every minute, with the pg_cron that Debian packages.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
my ($share) = run_command([ $node->installed_command('pg_config'), '--sharedir' ]);
plan skip_all => 'pg_cron is not installed' unless grep { -e "$_/extension/pg_cron.control" } $share;
$node->init;
$node->append_conf('postgresql.conf',
    "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'postgres'\ncron.use_background_workers = on\nmax_worker_processes = 16");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION pg_cron;
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS SELECT n % 300 AS user_id, (n * 7919 + n / 300) % 200 AS item_id, 1 + n % 5 AS rating FROM generate_series(1, 20000) n;
    CREATE INDEX ON ratings (user_id);
    SELECT FROM mf_train('ratings', factors => 4);
    SELECT cron.schedule('retrain', '* * * * *', $$SELECT mf_retrain_async('ratings')$$);
});
ok($node->poll_query_until('postgres', q{SELECT count(*) >= 1 FROM mf_jobs WHERE status = 'done' AND task = 'retrain'}), 'the job was done');
# It notes that only after the job, which the statement began, may be done.
my $first = 'SELECT status FROM cron.job_run_details ORDER BY runid LIMIT 1';
$node->poll_query_until('postgres', "SELECT s.status IN ('succeeded', 'failed') FROM ($first) s");
is($node->safe_psql('postgres', $first), 'succeeded', 'cron says so');
is($node->safe_psql('postgres', q{SELECT max(version) >= 2 FROM mf_models WHERE live}), 't', 'and the model is a new version');
$node->stop;
done_testing();
