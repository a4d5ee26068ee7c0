# SIGKILL of the session that builds the shared items and of a job's worker, in each phase of theirs: after the server
# has started again the same lists, no segment, no lock, no progress and no job that never ends. (005_crash.pl kills
# sessions that train and builders that wait for a lock; 020_jobs.pl kills a worker while it iterates.)
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

plan skip_all => 'no /proc' unless -r '/proc/self/maps';

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "restart_after_crash = on\nautovacuum = off\nmf_ext.max_threads = 2\nmax_worker_processes = 4\nmf_ext.max_jobs = 50");
$node->start;
# What is looked for in the maps of processes. Without a /dev/shm of its own a system has segments of another kind.
if ((my $kind = $node->safe_psql('postgres', 'SHOW dynamic_shared_memory_type')) ne 'posix') {
    plan skip_all => "segments of shared memory are of kind $kind";
}
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT n % 1000 AS user_id, (n * 7919 + n / 1000) % 40000 AS item_id, 1 + n % 5 AS rating
          FROM generate_series(1, 200000::bigint) n;
    CREATE INDEX ON ratings (user_id);
    SELECT mf_train('ratings', factors => 64, iterations => 1, options => '{"ranking_iterations": 1}');
});
sub sql { my ($query) = @_; return $node->safe_psql('postgres', $query); }
my $state = q{
    SELECT md5(string_agg(l::text, ' ')) FROM generate_series(1, 10) u, mf_recommend(u, 5, 'ratings') l;
    SELECT count(*) FROM mf_models; SELECT count(*) FROM mf_user_factor_data; SELECT count(*) FROM mf_item_factor_data};
my $before = sql($state);

sub start_session {
    my ($name, @commands) = @_;
    return IPC::Run::start(
        [ $node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres') . " application_name=$name", map { ('-c', $_) } @commands ],
        '<', \undef, '>', \my $out, '2>', \my $err);
}

# Segments of dynamic shared memory that a process has mapped.
sub segments {
    my ($pid) = @_;
    open my $maps, '<', "/proc/$pid/maps" or return ();
    my %found;
    while (<$maps>) { $found{$1} = 1 if m{(/dev/shm/PostgreSQL\.\d+)}; }
    return sort keys %found;
}
sub wait_for(&$) {
    my ($condition, $what) = @_;
    my $end = time + 60;
    while (!$condition->()) {
        die "never: $what" if time > $end;
        usleep(1000);
    }
}
sub postmaster { my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/; return $pid; }
sub kill_and_restart {
    my ($pid) = @_;
    my $log = -s $node->logfile;
    kill 'KILL', $pid;
    $node->wait_for_log(qr/database system is ready to accept connections/, $log);
}

# The builder: a delay after it has begun, or once it has the segment.
for my $moment ('1 ms', '5 ms', '20 ms', '60 ms', '120 ms', 'segment made', 'segment made and 10 ms', 'segment made and 40 ms', 'list given') {
    $node->restart;
    my %mine = map { $_ => 1 } segments(postmaster());
    my $session = start_session('builder', 'SELECT pg_sleep(0.3)', q{SELECT count(*) FROM mf_recommend(1, 5, 'ratings')}, 'SELECT pg_sleep(60)');
    my $pid;
    $node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'builder'}) or die;
    $pid = sql(q{SELECT pid FROM pg_stat_activity WHERE application_name = 'builder'});
    my $new = sub { return grep { !$mine{$_} } segments($pid) };
    if ($moment =~ /^segment made(?: and (\d+) ms)?/) {
        wait_for { $new->() } 'segment';
        usleep(1000 * ($1 // 0));
    } elsif ($moment eq 'list given') {
        $node->poll_query_until('postgres', q{SELECT query LIKE '%pg_sleep(60)%' FROM pg_stat_activity WHERE application_name = 'builder'}) or die;
    } else {
        $node->poll_query_until('postgres', q{SELECT query LIKE '%mf_recommend%' OR query LIKE '%pg_sleep(60)%' FROM pg_stat_activity WHERE application_name = 'builder'}) or die;
        usleep(1000 * ($moment =~ /^(\d+)/)[0]);
    }
    my @segments = $new->();
    kill_and_restart($pid);
    $session->finish;
    is(join(' ', grep { -e $_ } @segments), '', "builder killed, $moment: none of its " . @segments . ' segments is left');
    is(sql($state), $before, 'the same lists and rows');
    is(sql('SELECT count(*), sum(items) FROM mf_cache'), '1|40000', 'from one new copy');
}

# The worker of a job, in each phase. Each brings the job to the point in question and gives sessions that hold it there.
sub lock_table {
    my ($table, $mode) = @_;
    my $session = start_session('locker', "BEGIN; LOCK $table IN $mode MODE; SELECT pg_sleep(600)");
    $node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'locker' AND wait_event = 'PgSleep'}) or die;
    return $session;
}
sub wait_for_worker {
    my ($condition) = @_;
    $node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'mf_ext job' AND $condition") or die "never: $condition";
}
my $long = q{factors => 64, iterations => 1000, options => '{"ranking_iterations": 1000}'};
my $short = q{factors => 8, iterations => 1, options => '{"ranking_iterations": 1}'};
# A source that is read for a minute.
sql(q{CREATE VIEW slow AS SELECT user_id, item_id, rating FROM ratings WHERE pg_sleep(0.0003) IS NOT NULL});
my @phases = (
    [ 'reading', sub { return; } ],
    [ 'iterating', sub { return; } ],
    [ 'storing items', sub { return lock_table('mf_item_factor_data', 'SHARE') } ],
    [ 'storing users', sub { return lock_table('mf_user_factor_data', 'SHARE') } ],
    [ 'publishing', sub { return lock_table('mf_model_data', 'SHARE') } ],
    [ 'noting that it is done', sub { return } ]);
for my $phase (@phases) {
    my ($name, $hold) = @$phase;
    my @sessions = grep { defined } $hold->();
    my $job = sql('SELECT mf_train_async(' . ($name eq 'reading' ? q{'slow', 'ratings', } : q{'ratings', }) . ($name eq 'iterating' ? $long : $short) . ')');
    if ($name eq 'reading') {
        $node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM mf_progress WHERE phase = 'reading'}) or die;
    } elsif ($name eq 'iterating') {
        $node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM mf_progress WHERE iterations_done > 0') or die;
    } elsif ($name =~ /^noting/) {
        # Between the commit of the model and that of the job's end, if the moment is met.
        $node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM mf_models}) or die;
    } else {
        wait_for_worker(q{wait_event_type = 'Lock'});
    }
    my $pid = sql(q{SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE backend_type = 'mf_ext job'});
    if ($pid > 0 && kill 0, $pid) { kill_and_restart($pid) }
    $_->finish for @sessions;
    my $outcome = sql("SELECT concat_ws(': ', status, message) FROM mf_jobs WHERE job_id = $job");
    if ($name =~ /^noting/) {
        like($outcome, qr/^(done|failed: the server or the worker was stopped)$/, "worker killed while $name: the job has ended");
        is(sql(q{SELECT mf_drop_model('ratings', max(version)) FROM mf_models WHERE NOT live; SELECT count(*) FROM mf_models}) =~ /1$/, 1, 'the model was published');
    } else {
        is($outcome, 'failed: the server or the worker was stopped', "worker killed while $name: the job has ended");
        is(sql($state), $before, 'the same lists and rows');
    }
    is(sql(q{SELECT (SELECT count(*) FROM mf_progress), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
                    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'mf_ext job')}), '0|0|0', 'no progress, no lock, no worker');
    is(sql("SELECT mf_cancel_job($job)"), 'f', 'nothing to cancel');
}

# Killed before it began, while the one who asked commits: here he waits for a standby that is not there.
$node->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_commit = local});
$node->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_standby_names = nobody});
$node->restart;
my $asker = start_session('asker', "SET synchronous_commit = on", "SELECT mf_train_async('ratings', $short)");
wait_for_worker(q{wait_event = 'transactionid'});
kill_and_restart(sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'mf_ext job'}));
$asker->finish;
$node->safe_psql('postgres', q{ALTER SYSTEM RESET synchronous_standby_names});
$node->restart;
is(sql(q{SELECT status FROM mf_job_data ORDER BY job_id DESC LIMIT 1}), 'queued', 'killed while the one who asked commits: the job is there');
sql(q{UPDATE mf_job_data SET queued_at = queued_at - interval '31 s' WHERE status = 'queued'});
is(sql(q{SELECT count(*) FROM mf_jobs WHERE status IN ('queued', 'running')}), '0', 'and has failed');

# Two jobs of one model, of which the second waits: both have ended.
my $first = sql("SELECT mf_train_async('ratings', $long)");
$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM mf_progress WHERE iterations_done > 0') or die;
my $second = sql("SELECT mf_train_async('ratings', $short)");
$node->poll_query_until('postgres', "SELECT behind = $first FROM mf_job_data WHERE job_id = $second") or die;
kill_and_restart(sql("SELECT pid FROM mf_jobs WHERE job_id = $first"));
sql(q{UPDATE mf_job_data SET queued_at = queued_at - interval '31 s' WHERE status = 'queued'});
is(sql("SELECT string_agg(status, ' ') FROM mf_jobs WHERE job_id IN ($first, $second)"), 'failed failed', 'a job that waited has ended too');

my $last = sql("SELECT mf_train_async('ratings', 'another', $short)");
$node->poll_query_until('postgres', "SELECT status = 'done' FROM mf_jobs WHERE job_id = $last") or die 'jobs do not go on';
pass('and jobs go on');
$node->stop;
done_testing();
