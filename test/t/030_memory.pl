# Memory runs out, at twenty points of a training, of the first list after one, of a batch and of a job: an error that
# says so, nothing left behind, and the next call works in the same session. The limit is the one of `ulimit -v`, set on
# the one process while it runs.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'the address sanitizer allocates in its own way' if ($ENV{MF_SERVER_UNDER} // '') =~ /asan/;
plan skip_all => 'no prlimit, or no /proc' if system('prlimit --version >/dev/null 2>&1') != 0 || !-r '/proc/self/status';

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\njit = off\nlog_min_messages = error\nmf_ext.max_threads = 3\nmf_ext.keep_versions = 1");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT n % 3000 AS user_id, (n * 7919 + n / 3000) % 20000 AS item_id, 1 + n % 5 AS rating
          FROM generate_series(1, 300000::bigint) n;
    CREATE INDEX ON ratings (user_id);
    SELECT mf_train('ratings', factors => 64, iterations => 1, options => '{"ranking_iterations": 1}');
});
my $list = q{SELECT md5(string_agg(item_id || ':' || score, ' ')) FROM mf_recommend(7, 20, 'ratings')};
my $lists = q{SELECT count(*) FROM mf_recommend_all(5, 'ratings')};
my $expected = $node->safe_psql('postgres', $list);

# Kilobytes of address space that a process has.
sub size_of {
    my ($pid) = @_;
    my ($size) = slurp_file("/proc/$pid/status") =~ /VmSize:\s+(\d+)/ or die;
    return $size;
}
sub limit { my ($pid, $bytes) = @_; system('prlimit', '--pid', $pid, "--as=$bytes:unlimited") == 0 or die 'prlimit'; }

# What is left of a call that failed: progress rows, locks of others than this question, segments of shared memory
# that are in no place of the cache, claims to build.
my $left = q{SELECT (SELECT count(*) FROM mf_progress) || ' ' ||
                    (SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid() AND (relation >= 16384 OR locktype = 'advisory')) || ' ' ||
                    (SELECT count(*) FROM mf_models)};

# Runs the statement under limits that grow from hardly anything to enough, each in a new session, since the memory of
# one call serves the next. The model is made to be read anew each time.
sub squeeze {
    my ($what, $statement) = @_;
    my ($refused, $enough) = (0, 0);
    for my $point (0 .. 19) {
        my $session = $node->background_psql('postgres', on_error_stop => 0);
        $session->set_query_timer_restart;
        my $pid = 0 + $session->query_safe('SELECT pg_backend_pid()');
        $session->query_safe(q{SET client_min_messages = error; SELECT FROM mf_models; SELECT mf_fold(1, 1, 2)});
        $node->safe_psql('postgres', q{UPDATE mf_model_data SET trained_at = trained_at + interval '1 s'});
        limit($pid, (size_of($pid) + int(160 * 1.5**$point)) * 1024);
        my $out = $session->query($statement);
        my $error = $session->{stderr};
        $session->{stderr} = '';
        limit($pid, 'unlimited');
        if ($error =~ /ERROR/) {
            $refused++;
            like($error, qr/ERROR:  (out of memory|could not (map|resize|create|open) shared memory segment|cannot allocate|memory)/, "$what, point $point: an error that says so");
        } else {
            $enough++;
            is($error, '', "$what, point $point: enough");
        }
        is(0 + $session->query_safe('SELECT pg_backend_pid()'), $pid, 'the session goes on');
        is($node->safe_psql('postgres', $left), '0 0 1', 'nothing is left');
        is($session->query_safe($list) =~ s{\s+\z}{}r, $expected, 'and the next call of this session works');
        is($node->safe_psql('postgres', $list), $expected, 'as does another session');
        $session->quit;
    }
    cmp_ok($refused, '>=', 3, "$what: refused $refused times");
    cmp_ok($enough, '>=', 1, "$what: done $enough times");
}

squeeze('first list', $list);
squeeze('batch', $lists);
squeeze('similar users', q{SELECT count(*) FROM mf_similar_users(7, 5, 'ratings')});
squeeze('evaluation', q{SELECT count(*) FROM mf_evaluate('ratings', 'ratings')});
squeeze('training', q{BEGIN; SELECT count(*) FROM mf_train('ratings', factors => 32, iterations => 1, options => '{"ranking_iterations": 1}'); ROLLBACK});

# A worker has the limits of the server's first process.
my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/ or die;
my ($failed, $done) = (0, 0);
for my $point (0 .. 19) {
    limit($postmaster, (size_of($postmaster) + int(1500 * 1.35**$point)) * 1024);
    my ($status, $job, $error) = $node->psql('postgres', q{SELECT mf_train_async('ratings', 'job', factors => 32, iterations => 1, options => '{"ranking_iterations": 1}')});
    limit($postmaster, 'unlimited');
    # Not even a session may have come to life.
    next unless $status == 0 && $job =~ /^\d+$/;
    $node->poll_query_until('postgres', "SELECT status NOT IN ('queued', 'running') FROM mf_jobs WHERE job_id = $job") or die "job $job never ends";
    my $outcome = $node->safe_psql('postgres', "SELECT concat_ws(': ', status, message) FROM mf_jobs WHERE job_id = $job");
    like($outcome, qr/^(done|failed: (out of memory|the server or the worker was stopped).*)$/, "job, point $point");
    $outcome eq 'done' ? $done++ : $failed++;
    is($node->safe_psql('postgres', q{SELECT (SELECT count(*) FROM mf_progress), (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'mf_ext job')}), '0|0', 'nothing is left');
}
cmp_ok($failed, '>=', 1, "jobs: $failed failed");
cmp_ok($done, '>=', 1, "jobs: $done done");
is($node->safe_psql('postgres', $list), $expected, 'the model serves on');

unlike(slurp_file($node->logfile), qr/terminate called|was terminated by signal|PANIC|free\(\): |corrupt/, 'no process ended otherwise');
$node->stop;
done_testing();
