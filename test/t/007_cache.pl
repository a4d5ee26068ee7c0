# The shared cache of item factors: one copy for all sessions, built once, by the training run or for the first list,
# evicted when its model is dropped, and never an obstacle to either.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "mf_ext.keep_versions = 1\nrestart_after_crash = on\nmax_prepared_transactions = 1");
$node->start;

# A training run leaves items out of the cache that have no room in it.
my $apart = q{SET mf_ext.cache_size = '1MB'};

sub install {
    my ($database) = @_;
    $node->safe_psql($database, qq{
        $apart;
        CREATE EXTENSION mf_ext;
        CREATE TABLE ratings AS
            SELECT n % 300 AS user_id, (n * 7919 + n / 300) % 5000 AS item_id, 1 + n % 5 AS rating
              FROM generate_series(1, 30000::bigint) n;
        CREATE INDEX ON ratings (user_id);
        SELECT mf_train('ratings', factors => 64, iterations => 2);
    });
}

sub cached { return $node->safe_psql('postgres', 'SELECT string_agg(database || model || version, \' \' ORDER BY database, model, version) FROM mf_cache'); }

sub start_psql {
    my (@commands) = @_;
    my ($in, $out, $err) = ('', '', '');
    my $run = IPC::Run::start(
        [ $node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres'), map { ('-c', $_) } @commands ],
        '<', \$in, '>', \$out, '2>', \$err);
    return { run => $run, out => \$out, err => \$err };
}

sub wait_until { $node->poll_query_until('postgres', $_[0]) or die "never: $_[0]"; }

my $list = q{SELECT md5(string_agg(item_id || ' ' || score, ' ')) FROM mf_recommend(7, 20, 'ratings')};

install('postgres');
is(cached(), '', 'nothing before the first call');
my $expected = $node->safe_psql('postgres', $list);
is(cached(), 'postgresratings1', 'the first call puts the items there');
my $built = $node->safe_psql('postgres', 'SELECT built_at FROM mf_cache');
is($node->safe_psql('postgres', $list), $expected, 'another session gives the same list');
is($node->safe_psql('postgres', 'SELECT hits, built_at FROM mf_cache'), "2|$built", 'from the same copy');
is($node->safe_psql('postgres', 'SELECT bytes BETWEEN 5000 * 64 * 9 AND 5000 * (64 * 9 + 100) + 100000 FROM mf_cache'), 't', 'of the size it should have');

# The private memory of a second session: far less than the 3 MB of the items.
SKIP: {
    skip 'no /proc', 1 unless -r '/proc/self/status';
    my $anonymous = q{SELECT substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'RssAnon:\s+(\d+)')::int};
    my ($before, $after) = split /\n/, $node->safe_psql('postgres', "LOAD 'mf_ext'; $anonymous; SELECT FROM mf_recommend(8, 20); $anonymous");
    my $limit = ($ENV{MF_SERVER_UNDER} // '') =~ /asan/ ? 2000 : 1500;
    cmp_ok($after - $before, '<', $limit, 'a second session has no copy of its own');
}

# A version that the current transaction has created stays private to the session.
my $rolled_back = $node->safe_psql('postgres', qq{
    BEGIN; SELECT FROM mf_train('ratings', factors => 8, iterations => 1); SELECT count(*) FROM mf_recommend(7, 5);
    SELECT string_agg(version::text, ' ') FROM mf_cache; ROLLBACK; $list});
is($rolled_back, "5\n1\n$expected", 'an uncommitted version is not shared; after a rollback the old one serves');
is(cached(), 'postgresratings1', 'and is there still');

my $committed = $node->safe_psql('postgres', q{
    BEGIN; SELECT FROM mf_train('ratings', factors => 8, iterations => 1); SELECT count(*) FROM mf_recommend(7, 5); COMMIT;
    SELECT string_agg(version::text, ' ') FROM mf_cache; SELECT count(*) FROM mf_recommend(7, 5)});
is($committed, "5\n2\n5", 'the commit releases the version that it deletes, and shares the new one');
is(cached(), 'postgresratings2', 'as other sessions see');

# A training run makes the items ready to serve. What is undone leaves nothing behind, however it is undone.
my $train = q{SELECT FROM mf_train('ratings', 'ready', factors => 64, iterations => 1)};
my $ready = q{SELECT count(*) FROM mf_cache WHERE model = 'ready'};
is($node->safe_psql('postgres', "BEGIN; $train; $ready; COMMIT; $ready"), "0\n1", 'a training run puts the items there, for those who see its version');
is($node->safe_psql('postgres', q{SET mf_ext.fault = 'directory'; SELECT count(*) FROM mf_recommend(7, 5, 'ready')}), '5',
    'so that a first list reads none of them');
my $of_training = q{SELECT md5(string_agg(item_id || ' ' || score, ' ')) FROM mf_recommend(7, 20, 'ready')};
my $lists = $node->safe_psql('postgres', qq{$of_training; $apart; SET mf_ext.fault = 'shared_memory'; BEGIN; $train; $of_training; ROLLBACK});
like($lists, qr/^(\w{32})\n\1$/, 'and is that of items that were read from the table');
$node->safe_psql('postgres', q{SELECT mf_drop_model('ready')});
for my $undone ("BEGIN; $train; ROLLBACK", "BEGIN; SAVEPOINT s; $train; ROLLBACK TO s; COMMIT", "BEGIN; $train; PREPARE TRANSACTION 'p'",
    "ROLLBACK PREPARED 'p'") {
    $node->safe_psql('postgres', $undone);
    is(cached(), 'postgresratings2', $undone);
}
$node->psql('postgres', "BEGIN; $train; SELECT pg_terminate_backend(pg_backend_pid())");
is(cached(), 'postgresratings2', 'a session that ends leaves nothing');
is($node->safe_psql('postgres', "SET mf_ext.fault = 'shared_memory'; $train; $ready"), '0', 'without shared memory the training run is done as well');
is($node->safe_psql('postgres', "$apart; $train; $ready"), '0', 'and so it is without room');
$node->safe_psql('postgres', "BEGIN; $train; SELECT FROM mf_train('ratings', 'second', factors => 8, iterations => 1); COMMIT");
is(cached(), 'postgresratings2 postgresready3', 'the first training run of a transaction is ready');
$node->safe_psql('postgres', q{SELECT mf_drop_model('ready'), mf_drop_model('second')});
$node->safe_psql('postgres', q{SELECT mf_drop_model('ratings')});
is(cached(), '', 'a dropped model is released');
$node->safe_psql('postgres', qq{$apart; SELECT mf_train('ratings', factors => 64, iterations => 2)});

# Concurrent first readers: one builds, the others wait; if it is cancelled or terminated, another one builds.
for my $end ('pg_cancel_backend', 'pg_terminate_backend') {
    my $locker = start_psql('BEGIN', 'LOCK TABLE mf_item_factor_data IN ACCESS EXCLUSIVE MODE', q{SELECT pg_sleep(60)});
    wait_until(q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'});
    my $builder = start_psql("/* builder */ $list");
    wait_until(q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '/* builder%' AND wait_event_type = 'Lock'});
    my @waiters = map { start_psql("/* waiter */ $list") } 1 .. 3;
    wait_until(q{SELECT count(*) = 3 FROM pg_stat_activity WHERE query LIKE '/* waiter%' AND wait_event = 'Extension'});
    $node->safe_psql('postgres', "SELECT $end(pid) FROM pg_stat_activity WHERE query LIKE '/* builder%'");
    $builder->{run}->finish;
    like(${ $builder->{err} }, qr/cancel|terminat/, "$end ends the one that builds");
    wait_until(q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '/* waiter%' AND wait_event_type = 'Lock'});
    is(cached(), '', 'and leaves nothing');
    $node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'});
    $locker->{run}->finish;
    for my $waiter (@waiters) {
        $waiter->{run}->finish;
        is(${ $waiter->{err} } . ${ $waiter->{out} }, "$expected\n", 'the others have their lists');
    }
    is($node->safe_psql('postgres', 'SELECT count(*), sum(hits) FROM mf_cache'), '1|3', 'from one copy');
    $node->safe_psql('postgres', qq{$apart; SELECT FROM mf_retrain('ratings')}) if $end eq 'pg_cancel_backend';
    $node->safe_psql('postgres', qq{$apart; SELECT FROM mf_train('ratings', factors => 64, iterations => 2)});
}

# If the server gets no shared memory, or may not use so much, a session has a private copy and says so once.
for my $setting ("mf_ext.fault = 'shared_memory'", "mf_ext.cache_size = '1MB'") {
    my ($status, $out, $err) = $node->psql('postgres', "SET $setting; $list; $list; SELECT count(*) FROM mf_cache");
    is($out, "$expected\n$expected\n0", "$setting: the same list");
    is(() = $err =~ /WARNING:  model "ratings" \(\d+ MB\) does not fit into the shared cache/g, 1, 'and one WARNING');
}

# If a private copy would be larger than a session may hold, there is an error instead, before anything is read.
{
    my ($status, $out, $err) = $node->psql('postgres', "SET mf_ext.cache_size = '1MB'; SET mf_ext.max_private_memory = '1MB'; $list");
    like($err, qr/ERROR:  the items of version \d+ of model "ratings" need at least \d+ MB of memory of this session, mf_ext.max_private_memory is 1 MB/,
        'a private copy has a limit');
    like($err, qr/DETAIL:  It takes \d+ MB, and mf_ext.cache_size is 1 MB.*HINT:  A superuser can raise mf_ext.cache_size/s, 'and the error names both numbers');
    ($status, $out, $err) = $node->psql('postgres', "BEGIN; SELECT FROM mf_retrain('ratings'); SET mf_ext.max_private_memory = '1MB'; $list");
    like($err, qr/DETAIL:  Versions of a transaction under way are not shared/, 'likewise for a version of the own transaction');
    ($status, $out, $err) = $node->psql('postgres', "SET mf_ext.fault = 'shared_memory'; SET mf_ext.max_private_memory = '1MB'; $list");
    like($err, qr/ERROR:  the items of.*max_private_memory is 1 MB.*DETAIL:  It takes \d+ MB: /s, 'and where the system grants nothing');
    ($status, $out, $err) = $node->psql('postgres', "CREATE ROLE nobody; SET ROLE nobody; SELECT mf_fold(1, 1, 2); SET mf_ext.max_private_memory = '1GB'");
    like($err, qr/permission denied to set parameter "mf_ext.max_private_memory"/, 'only superusers set it');
}

# An error while the directory is locked leaves neither the lock nor a slot behind.
{
    my ($status, $out, $err) = $node->psql('postgres', "SET statement_timeout = '20s'; SET mf_ext.fault = 'directory'; $list");
    like($err, qr/ERROR:  fault in the directory on demand/, 'an error in the directory comes through');
    is(cached(), '', 'nothing was published');
    is($node->safe_psql('postgres', "SET statement_timeout = '20s'; $list"), $expected, 'the next session is served');
    is($node->safe_psql('postgres', 'SELECT count(*) FROM mf_cache'), '1', 'and shares it');
}

# The least recently used model is evicted.
$node->safe_psql('postgres', qq{$apart; SELECT mf_train('ratings', 'b', factors => 64, iterations => 1), mf_train('ratings', 'c', factors => 64, iterations => 1)});
my $limit = q{SET mf_ext.cache_size = '8MB'};
$node->safe_psql('postgres', "$limit; SELECT FROM mf_recommend(1, 1, '$_')") for 'ratings', 'b', 'ratings';
$node->safe_psql('postgres', "$limit; SELECT FROM mf_recommend(1, 1, 'c')");
is($node->safe_psql('postgres', q{SELECT string_agg(model, ' ' ORDER BY model) FROM mf_cache}), 'c ratings', 'the least recently used one leaves');

# A job puts the items there itself, and is done as well where they have no room.
my $job = $node->safe_psql('postgres', q{SELECT mf_train_async('ratings', 'by_job', factors => 64, iterations => 1)});
wait_until(q{SELECT count(*) = 1 FROM mf_cache WHERE model = 'by_job' AND version = 1});
is($node->safe_psql('postgres', qq{SELECT status FROM mf_jobs WHERE job_id = $job}), 'done', 'a job has put the items into the cache');
is($node->safe_psql('postgres', q{SET mf_ext.fault = 'directory'; SELECT count(*) FROM mf_recommend(1, 5, 'by_job')}), '5',
    'so that a first list reads none of them');
$node->append_conf('postgresql.conf', q{mf_ext.cache_size = '1MB'});
$node->reload;
$job = $node->safe_psql('postgres', q{SELECT mf_train_async('ratings', 'too_large', factors => 64, iterations => 1)});
wait_until(qq{SELECT status = 'done' FROM mf_jobs WHERE job_id = $job});
wait_until(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE 'mf_ext job%'});
is($node->safe_psql('postgres', q{SELECT count(*) FROM mf_cache WHERE model = 'too_large'}), '0', 'a job leaves items out that have no room');
$node->append_conf('postgresql.conf', q{mf_ext.cache_size = '1GB'});
$node->reload;
$node->safe_psql('postgres', q{SELECT mf_drop_model('by_job'), mf_drop_model('too_large')});

# Databases and extensions that are dropped.
$node->safe_psql('postgres', 'CREATE DATABASE other');
install('other');
$node->safe_psql('other', $list);
like(cached(), qr/otherratings1/, 'all databases share it');
is($node->safe_psql('other', q{CREATE ROLE stranger; SET ROLE stranger; SELECT count(*) FROM mf_cache}), '0', 'nobody sees the models of others');
$node->safe_psql('other', 'DROP EXTENSION mf_ext; CREATE EXTENSION mf_ext');
is($node->safe_psql('other', 'SELECT count(*) FROM mf_cache WHERE database = current_database()'), '0', 'a dropped extension is released');
install_again();
like(cached(), qr/otherratings1/, 'installed again, it serves');
$node->safe_psql('postgres', 'DROP DATABASE other');
unlike(cached(), qr/other/, 'a dropped database is released');

sub install_again {
    $node->safe_psql('other', q{SELECT FROM mf_train('ratings', factors => 8, iterations => 1); SELECT FROM mf_recommend(1, 1)});
}

# After a crash the cache is empty and fills again.
$node->safe_psql('postgres', "$list; CHECKPOINT");
my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'});
my $log_end = -s $node->logfile;
kill 'KILL', $pid;
$node->wait_for_log(qr/database system is ready to accept connections/, $log_end);
is($node->safe_psql('postgres', 'SELECT count(*) FROM mf_cache'), '0', 'after a crash no copy');
is($node->safe_psql('postgres', $list), $expected, 'after a crash the same list');
is($node->safe_psql('postgres', 'SELECT model, hits FROM mf_cache'), 'ratings|1', 'and a new copy');

$node->stop;
done_testing();
