# mf_train_async: a training run in a background worker, and whatever can happen to it.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# One worker is PostgreSQL's own (logical replication).
$node->append_conf('postgresql.conf', "max_worker_processes = 3\nmax_prepared_transactions = 1\nmf_ext.max_jobs = 10\nrestart_after_crash = on");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT n % 3000 AS user_id, (n * 7919 + n / 3000) % 2000 AS item_id, 1 + n % 5 AS rating, n % 2 AS tenant
          FROM generate_series(1, 300000::bigint) n;
    CREATE INDEX ON ratings (user_id);
    CREATE ROLE trainer NOLOGIN;
    CREATE ROLE member NOLOGIN IN ROLE trainer;
    CREATE ROLE stranger NOLOGIN;
    GRANT SELECT ON ratings TO trainer;
});

sub sql { my ($query) = @_; return $node->safe_psql('postgres', $query); }
# Options of a training run that would take minutes.
my $long = q{factors => 64, iterations => 1000, options => '{"ranking_iterations": 1000}'};
sub wait_for {
    my ($job, $status) = @_;
    $node->poll_query_until('postgres', "SELECT status = '$status' OR finished_at IS NOT NULL FROM mf_jobs WHERE job_id = $job");
    sql("SELECT status FROM mf_jobs WHERE job_id = $job") eq $status
        or die "job $job: " . sql("SELECT status, message FROM mf_jobs WHERE job_id = $job");
}
sub wait_for_iteration {
    my ($model) = @_;
    $node->poll_query_until('postgres', "SELECT count(*) = 1 FROM mf_progress WHERE model = '$model' AND iterations_done >= 2") or die 'no iteration';
}
sub error_of {
    my ($sql) = @_;
    my ($status, $out, $err) = $node->psql('postgres', $sql);
    return $err;
}

# A job runs as the role that asked for it, which need not have the right to log in.
# Its arguments keep all digits, however many the session displays.
my $job = sql(q{SET ROLE trainer; SET extra_float_digits = -10;
    SELECT mf_train_async('ratings', 'first', factors => 8, iterations => 2, regularization => 0.123456789)});
wait_for($job, 'done');
is(sql("SELECT model, owner, source, task, arguments ->> 'factors', version, message IS NULL, pid IS NULL,
               queued_at <= started_at AND started_at <= finished_at FROM mf_jobs WHERE job_id = $job"),
    'first|trainer|ratings|train|8|1|t|t|t', 'what the view says of it');
is(sql(q{SELECT model, version, owner, users, items, parameters -> 'factors' FROM mf_models}), 'first|1|trainer|3000|2000|8', 'the model');
is(sql(q{SET ROLE member; SELECT count(*) FROM mf_jobs}), '1', 'a member of the role sees it');
is(sql(q{SET ROLE stranger; SELECT count(*) FROM mf_jobs}), '0', 'a stranger does not');
is(sql(q{
    SELECT FROM mf_train('ratings', 'direct', factors => 8, iterations => 2, regularization => 0.123456789);
    SELECT count(*), bool_and(a.ranking_factors = b.ranking_factors AND a.rating_factors = b.rating_factors)
      FROM mf_item_factors a JOIN mf_models ma ON ma.model_id = a.model_id AND ma.model = 'first',
           mf_item_factors b JOIN mf_models mb ON mb.model_id = b.model_id AND mb.model = 'direct' WHERE a.item_id = b.item_id}),
    '2000|t', 'the same bits as by mf_train');

# Again, from the live version.
$job = sql(q{SET ROLE trainer; SELECT mf_retrain_async('first')});
wait_for($job, 'done');
is(sql("SELECT task, version FROM mf_jobs WHERE job_id = $job"), 'retrain|2', 'trained again');
is(sql(q{SELECT array_agg(version || ':' || live ORDER BY version) FROM mf_models WHERE model = 'first'}), '{1:false,2:true}', 'and published');

# A version that is not good enough is stored, and the job says why it is not live.
sql(q{SET ROLE trainer; SELECT mf_train('ratings', 'picky', factors => 8, iterations => 2)});
$job = sql(q{SET ROLE trainer; SELECT mf_train_async('ratings', 'picky', factors => 2, iterations => 1, test_fraction => 0.1, options => '{"publish_if": {"test_rmse": 0.01}}')});
wait_for($job, 'done');
like(sql("SELECT version, message FROM mf_jobs WHERE job_id = $job"), qr/^2\|test_rmse is [0-9.]+, and 0\.01 times that of version 1 is [0-9.e-]+$/, 'compared by a job');
is(sql(q{SELECT version FROM mf_models WHERE model = 'picky' AND live}), '1', 'and not published');

# With features from a relation that is named by the search_path of the session, which a role may have for itself.
sql(q{CREATE SCHEMA facts; CREATE TABLE facts.known AS SELECT i AS item_id, 'kind ' || i % 9 AS feature FROM generate_series(0, 2100::bigint) i;
      CREATE TABLE facts.people AS SELECT u AS user_id, 'town ' || u % 9 AS town FROM generate_series(0, 3000::bigint) u;
      GRANT USAGE ON SCHEMA facts TO trainer; GRANT SELECT ON facts.known, facts.people TO trainer});
$job = sql(q{CREATE FUNCTION ask() RETURNS bigint LANGUAGE sql SET search_path = facts, public, pg_temp AS
                 $$ SELECT mf_train_async('ratings', 'with features', factors => 8, iterations => 2, options => '{"item_features": "known", "user_features": "people", "search": false}') $$;
             SET ROLE trainer; SELECT ask()});
wait_for($job, 'done');
is(sql(q{SELECT items, item_features, user_features FROM mf_models WHERE model = 'with features'}), '2101|facts.known|facts.people', 'the features are those of the call');
$job = sql(q{INSERT INTO facts.known VALUES (9999, 'kind 1'); SET ROLE trainer; SELECT mf_refresh_items_async('with features')});
wait_for($job, 'done');
is(sql(qq{SELECT message FROM mf_jobs WHERE job_id = $job}), '1 new, 0 updated, 0 removed', 'an item that has features alone');
sql(q{SELECT mf_drop_model('with features')});

# Its items refreshed.
sql(q{INSERT INTO ratings SELECT u, 5001, 4 FROM generate_series(1, 30) u});
$job = sql(q{SET ROLE trainer; SELECT mf_refresh_items_async('first', 30)});
wait_for($job, 'done');
is(sql("SELECT task, arguments, version, message FROM mf_jobs WHERE job_id = $job"), 'refresh|{"min_interactions": 30}|2|1 new, 0 updated, 0 removed', 'refreshed');
is(sql(q{SELECT items, refreshed_items FROM mf_models WHERE model = 'first' AND live}), '2001|1', 'the live version');
sql(q{DELETE FROM ratings WHERE item_id = 5001});
$job = sql(q{SET ROLE trainer; SELECT mf_refresh_items_async('first')});
wait_for($job, 'done');
is(sql("SELECT message FROM mf_jobs WHERE job_id = $job"), '0 new, 0 updated, 1 removed', 'and without it again');

# While it trains it holds no snapshot, so that vacuum can remove rows that were deleted since.
sql(q{CREATE TABLE scratch AS SELECT 1 AS a FROM generate_series(1, 1000)});
$job = sql(qq{SELECT mf_train_async('ratings', 'long', $long)});
wait_for($job, 'running');
wait_for_iteration('long');
is(sql("SELECT a.backend_xmin IS NULL, a.backend_xid IS NULL, a.backend_type, p.model
          FROM mf_jobs j JOIN pg_stat_activity a USING (pid) JOIN mf_progress p USING (pid) WHERE job_id = $job"),
    't|t|mf_ext job|long', 'no snapshot');
sql('DELETE FROM scratch');
my (undef, undef, $verbose) = $node->psql('postgres', 'VACUUM (VERBOSE) scratch');
like($verbose, qr/tuples: 1000 removed, 0 remain/, 'vacuum is not held back');

# Further jobs for the same model wait for it, and take no worker.
sub workers { return sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'mf_ext job'}); }
sub wait_for_workers {
    my ($count) = @_;
    $node->poll_query_until('postgres', "SELECT count(*) = $count FROM pg_stat_activity WHERE backend_type = 'mf_ext job'") or die "not $count workers";
}
sub state_of { my (@jobs) = @_; return sql('SELECT string_agg(status, \' \' ORDER BY job_id) FROM mf_jobs WHERE job_id IN (' . join(', ', @jobs) . ')'); }
sub wait_behind {
    my ($waiting, $before) = @_;
    $node->poll_query_until('postgres', "SELECT behind = $before FROM mf_job_data WHERE job_id = $waiting") or die "$waiting does not wait";
}
my @waiting = map { sql("SELECT mf_train_async('ratings', 'long', factors => $_, iterations => 1)") } 2 .. 6;
wait_behind($_, $job) for @waiting;
wait_for_workers(1);
# As if an hour had passed.
sql(q{UPDATE mf_job_data SET queued_at = queued_at - interval '1 h' WHERE status = 'queued'});
is(state_of($job, @waiting), 'running queued queued queued queued queued', 'they wait');
is(sql("SELECT bool_and(mf_job_is_alive(job_id)) FROM mf_jobs WHERE status = 'queued'"), 't', 'and are not lost');
like(error_of(q{SET mf_ext.max_jobs = 6; SELECT mf_train_async('ratings', 'long')}), qr/has 6 jobs that wait or run/, 'they count');
my $other = sql(qq{SELECT mf_train_async('ratings', 'other', $long)});
wait_for_iteration('other');
like(error_of(q{SELECT mf_train_async('ratings', 'third')}), qr/ERROR:  no background worker is free for the training run\nHINT:  Wait for other jobs to end, or raise max_worker_processes\./, 'no worker free');
is(sql(q{SELECT count(*) FROM mf_jobs WHERE model = 'third'}), '0', 'and no job');
# One that is about to end is waited for.
my $third = sql("BEGIN; SELECT mf_cancel_job($other); SELECT mf_train_async('ratings', 'third', factors => 2, iterations => 1); COMMIT") =~ s/.*\n//sr;
wait_for($other, 'cancelled');
wait_for($third, 'done');
is(sql("SELECT mf_cancel_job($waiting[1])"), 't', 'one that waits is cancelled');
is(sql("SELECT status, message FROM mf_jobs WHERE job_id = $waiting[1]"), 'cancelled|cancelled before it began', 'it never began');
like(error_of("SET ROLE stranger; SELECT mf_cancel_job($job)"), qr/permission denied for job $job/, 'not by a stranger');
is(sql("SELECT mf_cancel_job($job)"), 't', 'cancelled');
wait_for($job, 'cancelled');
is(sql("SELECT message, version IS NULL FROM mf_jobs WHERE job_id = $job"), 'canceling statement due to user request|t', 'it says so');
wait_for($waiting[4], 'done');
is(state_of(@waiting), 'done cancelled done done done', 'those that waited are done');
is(sql(qq{SELECT string_agg((arguments ->> 'factors') || ':' || version, ' ' ORDER BY started_at) FROM mf_jobs WHERE job_id IN (} . join(', ', @waiting) . ') AND version IS NOT NULL'),
    '2:1 4:2 5:3 6:4', 'one after the other, in the order in which they came');
is(sql(q{SELECT array_agg(version || ' ' || (parameters ->> 'factors') ORDER BY version) FROM mf_models WHERE model = 'long'}), '{"3 5","4 6"}', 'and published');
is(sql("SELECT mf_cancel_job($job)"), 'f', 'it had ended');
wait_for_workers(0);

# A waiting job runs as the role and the session user that asked for it, whoever ran the previous job.
sql(q{CREATE ROLE login LOGIN; GRANT trainer TO login});
$job = sql(qq{SELECT mf_train_async('ratings', 'turns', $long)});
wait_for_iteration('turns');
sql(q{ALTER TABLE ratings ENABLE ROW LEVEL SECURITY; CREATE POLICY sessions ON ratings FOR SELECT TO trainer USING (session_user = 'login' AND current_user = 'trainer' AND tenant = 1)});
{
    local $ENV{PGUSER} = 'login';
    $waiting[0] = sql(q{SET ROLE trainer; SELECT mf_train_async('ratings', 'turns', factors => 4, iterations => 1)});
}
wait_behind($waiting[0], $job);
sql("SELECT mf_cancel_job($job)");
wait_for($waiting[0], 'done');
is(sql(q{SELECT owner, ratings = (SELECT count(DISTINCT (user_id, item_id)) FROM ratings WHERE tenant = 1) FROM mf_models WHERE model = 'turns'}), 'trainer|t', 'its own rights');
sql('ALTER TABLE ratings DISABLE ROW LEVEL SECURITY; DROP POLICY sessions ON ratings');

# Transactions of a worker have their own properties, whatever the defaults of the role.
sql(q{ALTER ROLE login SET default_transaction_isolation = 'serializable'; ALTER ROLE login SET default_transaction_read_only = on});
{
    local $ENV{PGUSER} = 'login';
    $job = sql(q{SET default_transaction_read_only = off; SET ROLE trainer; SELECT mf_retrain_async('turns')});
}
wait_for($job, 'done');

# If all workers are taken when a job ends, here by another job, the next job waits for a worker.
$job = sql(qq{SELECT mf_train_async('ratings', 'turns', $long)});
wait_for_iteration('turns');
$waiting[0] = sql(q{SELECT mf_train_async('ratings', 'turns', factors => 4, iterations => 1)});
wait_behind($waiting[0], $job);
wait_for_workers(1);
$other = sql(qq{SELECT mf_train_async('ratings', 'other', $long)});
wait_for_iteration('other');
sql("SELECT mf_cancel_job($job)");
wait_for($job, 'cancelled');
sleep 1;
is(sql("SELECT status, mf_job_is_alive(job_id) FROM mf_jobs WHERE job_id = $waiting[0]"), 'queued|t', 'it waits for a worker');
sql("SELECT mf_cancel_job($other)");
wait_for($waiting[0], 'done');

# If its worker cannot start, the job has failed, and the one behind it is next.
$job = sql(qq{SELECT mf_train_async('ratings', 'turns', $long)});
wait_for_iteration('turns');
{
    local $ENV{PGUSER} = 'login';
    $waiting[0] = sql(q{SET default_transaction_read_only = off; SET ROLE trainer; SELECT mf_train_async('ratings', 'turns', factors => 4, iterations => 1)});
}
wait_behind($waiting[0], $job);
$waiting[1] = sql(q{SELECT mf_train_async('ratings', 'turns', factors => 5, iterations => 1)});
wait_behind($waiting[1], $job);
sql('DROP ROLE login');
sql("SELECT mf_cancel_job($job)");
wait_for($waiting[1], 'done');
is(sql("SELECT status, message FROM mf_jobs WHERE job_id = $waiting[0]"), "failed|the background worker ended before the training began\nThe server's log says why.", 'no worker came');
wait_for_workers(0);

# If it is terminated, those that wait for it fail too.
$job = sql(qq{SELECT mf_train_async('ratings', 'turns', $long)});
wait_for_iteration('turns');
$waiting[0] = sql(q{SELECT mf_train_async('ratings', 'turns', factors => 4, iterations => 1)});
wait_behind($waiting[0], $job);
sql(q{UPDATE mf_job_data SET queued_at = queued_at - interval '1 h' WHERE status = 'queued'});
sql("SELECT pg_terminate_backend(pid) FROM mf_jobs WHERE job_id = $job");
wait_for_workers(0);
is(state_of($job, $waiting[0]), 'failed failed', 'both have failed');
$job = sql(q{SELECT mf_train_async('ratings', 'turns', factors => 4, iterations => 1)});
wait_for($job, 'done');
is(sql("SELECT status, message FROM mf_jobs WHERE job_id = $waiting[0]"), 'failed|the server or the worker was stopped', 'and are not done later');
like(error_of('SELECT mf_cancel_job(1000000)'), qr/job 1000000 does not exist/, 'no such job');
like(error_of('SELECT mf_cancel_job(NULL)'), qr/must not be NULL/, 'NULL');

# A job begins with the commit of the transaction that asked for it: not before, and not without.
my $session = $node->background_psql('postgres');
$session->set_query_timer_restart;
$session->query_safe('BEGIN');
$session->query_safe('CREATE TABLE fresh AS SELECT * FROM ratings WHERE user_id < 100');
$session->query_safe('CREATE INDEX ON fresh (user_id)');
$job = $session->query_safe(q{SELECT mf_train_async('fresh', factors => 4, iterations => 1)});
sleep 1;
is(workers(), '0', 'it takes no worker before the commit');
$session->query_safe('COMMIT');
wait_for($job, 'done');
$session->query_safe('BEGIN');
$session->query_safe('SAVEPOINT kept');
$job = $session->query_safe(q{SELECT mf_train_async('fresh', factors => 4, iterations => 1)});
$session->query_safe('RELEASE kept');
$session->query_safe('COMMIT');
wait_for($job, 'done');
wait_for_workers(0);
$session->query_safe('BEGIN');
$session->query_safe('SAVEPOINT s');
$session->query_safe(q{SELECT mf_train_async('fresh', 'undone', factors => 4, iterations => 1)});
$session->query_safe('ROLLBACK TO s');
$session->query_safe('COMMIT');
$session->query_safe('BEGIN');
$session->query_safe(q{SELECT mf_train_async('fresh', 'undone', factors => 4, iterations => 1)});
$session->query_safe('ROLLBACK');
$session->quit;
is(workers(), '0', 'and no worker');
like(error_of(q{BEGIN; SELECT mf_train_async('fresh', 'undone'); PREPARE TRANSACTION 'later'}), qr/cannot PREPARE a transaction that has requested a background training run/, 'not prepared');
is(sql(q{SELECT (SELECT count(*) FROM mf_jobs WHERE model = 'undone'), (SELECT count(*) FROM mf_models WHERE model = 'undone')}), '0|0', 'nothing is left of what was rolled back');

# It reads the same rows as the session that asked: policies and the settings that they use apply.
sql(q{
    ALTER TABLE ratings ENABLE ROW LEVEL SECURITY;
    CREATE POLICY tenants ON ratings FOR SELECT TO trainer USING (tenant = current_setting('app.tenant')::integer);
});
$job = sql(q{SET ROLE trainer; SET app.tenant = 1; SET mf_ext.keep_versions = 1; SELECT mf_train_async('ratings', 'tenant', factors => 4, iterations => 1)});
wait_for($job, 'done');
is(sql(q{SELECT ratings = (SELECT count(DISTINCT (user_id, item_id)) FROM ratings WHERE tenant = 1) FROM mf_models WHERE model = 'tenant'}), 't', 'the rows of one tenant');
is(sql("SELECT settings ->> 'app.tenant', settings ->> 'mf_ext.keep_versions' FROM mf_job_data WHERE job_id = $job"), '1|1', 'settings go along');
{
    local $ENV{PGOPTIONS} = '-c app.region=north -c statement_timeout=1h';
    $job = sql(q{SELECT mf_train_async('fresh', factors => 4, iterations => 1)});
    is(sql("SELECT settings FROM mf_job_data WHERE job_id = $job"), '{"app.region": "north"}', 'what a client has set goes along, limits of time do not');
    wait_for($job, 'done');
}
sql('ALTER TABLE ratings DISABLE ROW LEVEL SECURITY');

# Errors that can be found at once are raised at once.
like(error_of(q{SELECT mf_train_async('nowhere')}), qr/relation "nowhere" does not exist/, 'no source');
like(error_of(q{SELECT mf_train_async('ratings', factors => 0)}), qr/factors must be between/, 'a bad argument');
like(error_of(q{SET ROLE stranger; SELECT mf_train_async('ratings', 'unreadable')}), qr/permission denied for table ratings/, 'rows that may not be read');
sql('GRANT SELECT ON ratings TO stranger');
like(error_of(q{SET ROLE stranger; SELECT mf_train_async('ratings', 'first')}), qr/must be owner of model "first"/, 'the model of another role');
like(error_of(q{SELECT mf_retrain_async('nothing')}), qr/model "nothing" does not exist/, 'no model to train again');
like(error_of(q{SELECT mf_retrain_async(NULL)}), qr/must not be NULL/, 'NULL');
like(error_of(q{SET default_transaction_read_only = on; SELECT mf_train_async('ratings')}), qr/cannot execute mf_train_async\(\) in a read-only transaction/, 'read-only');
# Errors found while the job runs are in its row.
$job = sql(q{BEGIN; SET ROLE stranger; SELECT mf_train_async('ratings', 'unreadable'); RESET ROLE; REVOKE SELECT ON ratings FROM stranger; COMMIT});
wait_for($job, 'failed');
like(sql("SELECT message FROM mf_jobs WHERE job_id = $job"), qr/permission denied for table ratings/, 'the rows may not be read');
# A task that this version of the library does not know is none of those that it knows.
$job = sql(q{BEGIN; SELECT mf_refresh_items_async('first'); UPDATE mf_job_data SET task = 'polish' WHERE job_id = (SELECT max(job_id) FROM mf_job_data); COMMIT});
wait_for($job, 'failed');
is(sql("SELECT message FROM mf_jobs WHERE job_id = $job"), qq{the job's row is damaged\nThere is no task "polish".\nStart the job again.}, 'a damaged job');
sql('CREATE TABLE passing AS SELECT * FROM ratings; CREATE INDEX ON passing (user_id)');
$job = sql(qq{SELECT mf_train_async('passing', $long)});
wait_for_iteration('passing');
sql('DROP TABLE passing');
is(sql("SELECT status, source FROM mf_jobs WHERE job_id = $job") =~ /^running\|\d+$/, 1, 'no lock is held on the source meanwhile');
sql("SELECT mf_cancel_job($job)");
wait_for($job, 'cancelled');
sql('CREATE TABLE passing AS SELECT * FROM ratings; CREATE INDEX ON passing (user_id)');
$job = sql(q{SELECT mf_train_async('passing', factors => 64, iterations => 200)});
wait_for_iteration('passing');
sql('DROP TABLE passing');
wait_for($job, 'failed');
like(sql("SELECT message FROM mf_jobs WHERE job_id = $job"), qr/public\.passing was dropped while a model was trained on it/, 'the source is gone');
# Likewise the features, of a job that trains, and of one that waits.
my $facts = q{CREATE TABLE passing_facts AS SELECT i AS item_id, 'kind ' || i % 9 AS feature FROM generate_series(0, 1999::bigint) i};
my $with_facts = q{SELECT mf_train_async('ratings', 'passing', factors => 64, iterations => 200, options => '{"item_features": "passing_facts", "search": false}')};
sql($facts);
$job = sql($with_facts);
wait_for_iteration('passing');
sql('DROP TABLE passing_facts');
wait_for($job, 'failed');
like(sql("SELECT message FROM mf_jobs WHERE job_id = $job"), qr/public\.passing_facts was dropped while a model was trained on it/, 'the features are gone');
sql($facts);
$job = sql("BEGIN; $with_facts; DROP TABLE passing_facts; COMMIT");
wait_for($job, 'failed');
like(sql("SELECT message FROM mf_jobs WHERE job_id = $job"), qr/passing_facts.*does not exist/, 'they were gone before it began');
is(sql(q{SELECT count(*) FROM mf_models WHERE model = 'passing'}), '0', 'and nothing is published');

# If it is terminated or killed, or the server stops, the job has failed, nothing is half published, and the model
# serves.
sub lists { return sql(q{SELECT array_agg(item_id || ':' || score ORDER BY u, place) FROM generate_series(0, 20) u, LATERAL mf_recommend(u, 3, 'first') WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, place)}); }
my $lists = lists();
my $message = 'failed|the server or the worker was stopped';
$job = sql(qq{SELECT mf_train_async('ratings', 'first', $long)});
wait_for_iteration('first');
sql("SELECT pg_terminate_backend(pid) FROM mf_jobs WHERE job_id = $job");
wait_for($job, 'failed');
is(sql("SELECT status, message FROM mf_jobs WHERE job_id = $job"), $message, 'terminated');
is(lists(), $lists, 'the model serves on');
$job = sql(qq{SELECT mf_train_async('ratings', 'first', $long)});
wait_for_iteration('first');
my $worker = sql("SELECT pid FROM mf_jobs WHERE job_id = $job");
my $log = -s $node->logfile;
kill 'KILL', $worker;
$node->wait_for_log(qr/database system is ready to accept connections/, $log);
$node->poll_query_until('postgres', "SELECT status = 'failed' FROM mf_jobs WHERE job_id = $job") or die;
is(sql("SELECT status, message FROM mf_jobs WHERE job_id = $job"), $message, 'killed');
is(lists(), $lists, 'the model serves on after recovery');
$job = sql(qq{SELECT mf_train_async('ratings', 'first', $long)});
wait_for_iteration('first');
$node->stop('immediate');
$node->start;
is(sql("SELECT status, message FROM mf_jobs WHERE job_id = $job"), $message, 'the server was stopped');
is(lists(), $lists, 'the model serves on after a restart');
is(sql(q{SELECT array_agg(version ORDER BY version) FROM mf_models WHERE model = 'first'}), '{1,2}', 'no further version');
$job = sql(q{SELECT mf_retrain_async('first')});
wait_for($job, 'done');
is(sql("SELECT version FROM mf_jobs WHERE job_id = $job"), '3', 'and can be trained again');

# What the session was told about its model is not told again by the worker, which nobody reads.
sql(q{CREATE TABLE successor AS SELECT * FROM ratings WHERE user_id < 100; CREATE INDEX ON successor (user_id);
    ALTER SYSTEM SET log_min_messages = notice; SELECT pg_reload_conf()});
$node->poll_query_until('postgres', 'SHOW log_min_messages', 'notice') or die;
my $told = -s $node->logfile;
$job = sql(q{SELECT mf_train_async('successor', 'direct', factors => 2)});
wait_for($job, 'done');
is(scalar(() = slurp_file($node->logfile, $told) =~ /NOTICE:  model "direct" was trained on public\.ratings, not on public\.successor/g), 1,
    'the session says that the source is another one');
sql(q{ALTER SYSTEM RESET log_min_messages; SELECT pg_reload_conf()});

# Finished jobs do not accumulate.
sql(q{INSERT INTO mf_job_data SELECT -n, 'first', 'trainer', 'trainer', 'ratings', 'train', '{}', '{}', 'done', now(), now(), now() FROM generate_series(1, 300) n});
$job = sql(q{SELECT mf_retrain_async('first')});
wait_for($job, 'done');
is(sql(q{SELECT count(*) = 100 FROM mf_jobs WHERE model = 'first'}), 't', 'the last hundred are kept');

$node->stop;
# A job that has compared its version with the live one has the items of that mapped already.
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/not made ready to serve: can't attach/, 'items are mapped once');

done_testing();
