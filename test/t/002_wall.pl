# Interrupts during a training run: a cancel ends it at once, a terminated session leaves the server alive, and an
# interrupt that is no cancel changes nothing.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT n % 3000 AS user_id, (n * 7919 + n / 3000) % 2000 AS item_id, 1 + n % 5 AS rating
          FROM generate_series(1, 300000::bigint) n;
    CREATE INDEX ON ratings (user_id);
    SELECT mf_train('ratings', factors => 8);
});
my $list = q{SELECT string_agg(item_id || ':' || score, ' ') FROM mf_recommend(7, 5, 'ratings')};
my $before = $node->safe_psql('postgres', $list);

# Starts a statement of many iterations in a session of its own; returns once it iterates.
sub start_training {
    my ($model, $iterations) = @_;
    my ($out, $err) = ('', '');
    my $training = IPC::Run::start(
        [ $node->installed_command('psql'), '-XAt', '-d', $node->connstr('postgres'), '-c',
            "SELECT iterations FROM mf_train('ratings', '$model', factors => 64, iterations => $iterations)" ],
        '<', \undef, '>', \$out, '2>', \$err);
    $node->poll_query_until('postgres',
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%''$model''%' AND pid <> pg_backend_pid()")
        or die 'the training did not start';
    usleep(700_000);    # past the reading
    return { run => $training, out => \$out, err => \$err };
}

my $pid_of = q{SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%mf_train%' AND pid <> pg_backend_pid()};

# The time the statement takes without interruption, by the server's clock; it is measured again for each check, since
# the machine may have become busier. Few iterations, so that each half of one would be a large part of the whole.
sub seconds {
    my ($timeout) = @_;
    return $node->safe_psql('postgres', qq{
        CREATE TEMPORARY TABLE clock AS SELECT clock_timestamp() AS start;
        SET statement_timeout = '${timeout}ms';
        DO \$\$ BEGIN PERFORM mf_train('ratings', 'timed', factors => 256, iterations => 2, options => '{"ranking_iterations": 2}');
            RAISE EXCEPTION 'not stored'; EXCEPTION WHEN query_canceled OR raise_exception THEN NULL; END \$\$;
        SET statement_timeout = 0;
        SELECT extract(epoch FROM clock_timestamp() - start) FROM clock});
}

for my $attempt (1 .. 3) {
    my $training = start_training("cancelled$attempt", 1000);
    $node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) FROM ($pid_of) p");
    $training->{run}->finish;
    like(${ $training->{err} }, qr/canceling statement due to user request/, 'a cancel ends the training run');
    is(${ $training->{out} }, '', 'before its end');
}

# A timeout takes the same way as a cancel. (make bench measures how soon either ends a training run of any size.)
for my $part (0.1, 0.25, 0.4) {
    my $whole = seconds(0);
    my $timeout = int(1000 * $part * $whole) || 1;
    my $elapsed = seconds($timeout);
    note "$elapsed s of $whole s";
    cmp_ok($elapsed, '>=', $timeout / 1000 - 0.001, "a training run is not timed out before $part of it");
    cmp_ok($elapsed, '<', ($part + 0.2) * $whole, 'but soon after');
}

{
    my $training = start_training('terminated', 1000);
    $node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM ($pid_of) p");
    $training->{run}->finish;
    like(${ $training->{err} }, qr/terminating connection due to administrator command/, 'a terminated session says so');
    is($node->safe_psql('postgres', $list), $before, 'the server and the old model live on');
}

# A session that is terminated exits without unwinding its stack, while a thread beside the executor may be reading the
# items in shared memory: a crash of that thread would end all sessions.
for my $attempt (1 .. 8) {
    my ($out, $err) = ('', '');
    my $lists = IPC::Run::start(
        [ $node->installed_command('psql'), '-XAt', '-d', $node->connstr('postgres'), '-c',
            q{SELECT count(*) FROM generate_series(1, 1000) n, LATERAL mf_recommend_all(10 + n % 2, 'ratings')} ],
        '<', \undef, '>', \$out, '2>', \$err);
    my $pid_of_lists = q{SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%mf_recommend_all%' AND pid <> pg_backend_pid()};
    $node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($pid_of_lists) p") or die 'the lists did not start';
    usleep(200_000 + 37_000 * $attempt);
    $node->safe_psql('postgres', "SELECT pg_terminate_backend(pid, 60000) FROM ($pid_of_lists) p");
    $lists->finish;
    like($err, qr/terminating connection due to administrator command/, 'a session that makes lists is terminated');
    is($node->safe_psql('postgres', $list), $before, 'the server lives on');
}

# The same while a thread looks up the ids of a source's rows: the source is long, and its rows are told apart from
# those of a training run that iterates by the phase. What the thread throws ends the statement as well.
$node->safe_psql('postgres', q{
    CREATE VIEW long AS
        SELECT n * 3000 + user_id AS user_id, item_id, rating FROM generate_series(1, 300) n, ratings});
my $reads = q{SELECT pid FROM mf_progress WHERE model = 'long' AND phase = 'reading' AND rows_read > 0};
for my $attempt (1 .. 6) {
    my ($function, $message) = $attempt % 2
        ? ('pg_cancel_backend(pid)', qr/canceling statement due to user request/)
        : ('pg_terminate_backend(pid, 60000)', qr/terminating connection due to administrator command/);
    my ($out, $err) = ('', '');
    my $training = IPC::Run::start(
        [ $node->installed_command('psql'), '-XAt', '-d', $node->connstr('postgres'), '-c', q{SELECT mf_train('long')} ],
        '<', \undef, '>', \$out, '2>', \$err);
    $node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($reads) p") or die 'the training did not read';
    usleep(31_000 * $attempt);
    $node->safe_psql('postgres', "SELECT $function FROM ($reads) p");
    $training->finish;
    like($err, $message, 'a training run that reads is ended');
    is($node->safe_psql('postgres', $list), $before, 'the server lives on');
}
my ($code, $out, $err) = $node->psql('postgres', q{SET mf_ext.max_memory = '16MB'; SELECT mf_train('long')});
like($err, qr/training needs at least \d+ MB of memory, mf_ext.max_memory is 16 MB/, 'an error of the thread is that of the statement');
like($err, qr/interactions of .* users and .* items read so far/, 'before all is read');

{
    my $training = start_training('interrupted', 60);
    for (1 .. 5) {
        $node->safe_psql('postgres', "SELECT pg_log_backend_memory_contexts(pid) FROM ($pid_of) p");
        usleep(50_000);
    }
    $training->{run}->finish;
    is(${ $training->{out} }, "60\n", 'a training run that is only asked for its memory continues to its end');
    $node->safe_psql('postgres', "SELECT mf_train('ratings', 'alone', factors => 64, iterations => 60)");
    is($node->safe_psql('postgres', q{
            SELECT count(DISTINCT digest) FROM (
                SELECT md5(string_agg(concat(item_id, ranking_factors, rating_factors, rating_bias), ' ' ORDER BY item_id)) AS digest
                  FROM mf_item_factors JOIN mf_models m USING (model_id)
                 WHERE m.model IN ('interrupted', 'alone') GROUP BY model_id) d})
        , '1', 'and gives the same bits as one that nobody disturbed');
}

is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT model, ' ' ORDER BY model) FROM mf_models}),
    'alone interrupted ratings', 'the training runs that ended early left nothing behind');

# Ten thousand calls in one session: its memory does not grow after the first hundred.
is($node->safe_psql('postgres', q{
        CREATE TABLE memory (at int, kb bigint);
        DO $$ DECLARE n record; BEGIN
            FOR i IN 1 .. 10000 LOOP
                SELECT count(*) INTO n FROM mf_recommend(i % 3500, 5, 'ratings');
                IF i IN (1000, 10000) THEN
                    INSERT INTO memory VALUES (i, (regexp_match(pg_read_file('/proc/self/status'), 'RssAnon:\s*(\d+)'))[1]::bigint);
                END IF;
            END LOOP;
        END $$;
        SELECT max(kb) FILTER (WHERE at = 10000) - max(kb) FILTER (WHERE at = 1000) < 2000 FROM memory}),
    't', 'ten thousand lists do not grow the session');

$node->stop;
done_testing();
