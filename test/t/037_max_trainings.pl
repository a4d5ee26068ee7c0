# How many training runs there are at a time, in all databases of a server: others are refused, and jobs wait.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "session_preload_libraries = mf_ext\n");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings (user_id int, item_id int, rating real, PRIMARY KEY (user_id, item_id));
    INSERT INTO ratings
        SELECT u, i, 1 + (u * i + u + i) % 5 FROM generate_series(1, 200) u, generate_series(1, 200) i WHERE (u + i) % 3 > 0;
});
{
    my ($status, $out, $err) = $node->psql('postgres', 'SET mf_ext.max_trainings = 32');
    like($err, qr/cannot be changed now/, 'the number of runs is for the server');
}

# One run at a time, in all databases.
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', q{CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS SELECT u AS user_id, i AS item_id, 1 + (u * i) % 5 AS rating FROM generate_series(1, 20) u, generate_series(1, 20) i;
    CREATE INDEX ON ratings (user_id)});
$node->append_conf('postgresql.conf', 'mf_ext.max_trainings = 1');
$node->reload;
$node->poll_query_until('postgres', 'SHOW mf_ext.max_trainings', '1') or die;
my $busy = $node->background_psql('postgres');
$busy->query_safe(q{CREATE FUNCTION pg_temp.wait() RETURNS boolean VOLATILE LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock_shared(1); RETURN true; END $$;
    CREATE TEMP VIEW slow AS SELECT * FROM ratings WHERE pg_temp.wait()});
my $gate = $node->background_psql('postgres');
$gate->query_safe('SELECT pg_advisory_lock(1)');
$busy->query_until(qr/begins/, "\\echo begins\nSELECT version FROM mf_train('slow', 'slow', factors => 2);\n");
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM mf_progress}) or die;
my $refused = qr/ERROR:  the server is busy with 1 training runs, the most that may run at a time$/m;
for my $call (q{mf_train('ratings', factors => 2)}, q{mf_cross_validate('ratings', 2, factors => 2)}, q{mf_tune('ratings', factors => 2)}) {
    my ($status, $out, $err) = $node->psql('other', "SELECT * FROM $call");
    like($err, $refused, "$call in another database");
}
my $job = $node->safe_psql('other', q{SELECT mf_train_async('ratings', factors => 2)});
my $given_up = $node->safe_psql('other', q{SELECT mf_train_async('ratings', 'given up', factors => 2)});
$node->poll_query_until('other', q{SELECT count(*) = 2 FROM mf_jobs WHERE status = 'running'}) or die;
usleep(300_000);
is($node->safe_psql('other', "SELECT status, (SELECT count(*) FROM mf_progress) FROM mf_jobs WHERE job_id = $job"), 'running|0', 'a job waits');
is($node->safe_psql('other', "SELECT mf_cancel_job($given_up)"), 't', 'one that waits can be cancelled');
$node->poll_query_until('other', "SELECT status = 'cancelled' FROM mf_jobs WHERE job_id = $given_up") or die;
$gate->query_safe('SELECT pg_advisory_unlock(1)');
$node->poll_query_until('other', "SELECT status = 'done' FROM mf_jobs WHERE job_id = $job") or die;
pass('until it is its turn');
is($node->safe_psql('other', q{SELECT version FROM mf_train('ratings', factors => 2)}), '2', 'and others run again');
# More may run at once as soon as the configuration says so, also for what waits.
$gate->query_safe('SELECT pg_advisory_lock(1)');
$busy->query_until(qr/begins/, "\\echo begins\nSELECT version FROM mf_train('slow', 'slow', factors => 2);\n");
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM mf_progress}) or die;
$job = $node->safe_psql('other', q{SELECT mf_train_async('ratings', factors => 2)});
$node->poll_query_until('other', "SELECT status = 'running' FROM mf_jobs WHERE job_id = $job") or die;
$node->append_conf('postgresql.conf', 'mf_ext.max_trainings = 2');
$node->reload;
$node->poll_query_until('other', "SELECT status = 'done' FROM mf_jobs WHERE job_id = $job") or die;
pass('a waiting job sees a new limit');
$gate->query_safe('SELECT pg_advisory_unlock(1)');
# A session that is killed while it trains leaves no slot taken.
$gate->query_safe('SELECT pg_advisory_lock(1)');
$busy->query_until(qr/begins/, "\\echo begins\nSELECT version FROM mf_train('slow', 'slow', factors => 2);\n");
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM mf_progress}) or die;
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pid) FROM mf_progress');
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM mf_progress}) or die;
is($node->safe_psql('other', q{SELECT version FROM mf_train('ratings', factors => 2)}), '4', 'nor does a session that is terminated');
$gate->quit;
$node->stop;
done_testing();
