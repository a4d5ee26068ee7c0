# Long calls end soon after a cancel or timeout, and thousands of calls leave no memory behind.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

# Batches over 20,000 users and as many items, with long lists: they take seconds if nothing interrupts them.
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE wide AS
        SELECT n % 20000 AS user_id, (n * 7919 + n / 20000 * 13) % 20000 AS item_id, 1 + n % 5 AS rating
          FROM generate_series(1, 200000::bigint) n;
    CREATE INDEX ON wide (user_id);
    CREATE TABLE wide_test AS SELECT user_id, (item_id + 7) % 20000 AS item_id, rating FROM wide WHERE user_id % 8 = 0;
    SELECT mf_train('wide', factors => 16, iterations => 1, options => '{"ranking_iterations": 1}');
    SELECT count(*) FROM mf_recommend(1, 1, 'wide');
});
my %calls = (
    'mf_recommend_all' => q{SELECT count(*) FROM mf_recommend_all(300, 'wide')},
    'mf_evaluate' => q{SELECT count(*) FROM mf_evaluate('wide', 'wide_test', 1000)});

# Seconds that a call takes by the server's clock. Busy machines are slow in any case, so times are compared with that
# of the whole call.
sub seconds {
    my ($call, $timeout) = @_;
    my ($status, $out, $err) = $node->psql('postgres', qq{
        CREATE TEMPORARY TABLE clock AS SELECT clock_timestamp() AS start;
        SET statement_timeout = '${timeout}ms'; SET mf_ext.max_threads = 2;
        $call;
        SET statement_timeout = 0;
        SELECT extract(epoch FROM clock_timestamp() - start) FROM clock}, on_error_stop => 0);
    return ((split /\n/, $out)[-1], $err);
}

for my $name (sort keys %calls) {
    my $whole;
    for my $part (0.1, 0.25, 0.4) {
        ($whole, undef) = seconds($calls{$name}, 0);
        my ($seconds, $err) = seconds($calls{$name}, int(1000 * $part * $whole) || 1);
        note "$name: $seconds s of $whole s";
        like($err, qr/canceling statement due to statement timeout/, "$name is timed out after $part of it");
        cmp_ok($seconds, '<', ($part + 0.2) * $whole, 'soon');
    }
    # A cancel, with the server's clock before and after.
    my ($out, $err) = ('', '');
    my $clock = 'SELECT extract(epoch FROM clock_timestamp())';
    my $run = IPC::Run::start(
        [ $node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres'), '-c', 'SET mf_ext.max_threads = 2',
            '-c', $calls{$name}, '-c', $clock, '-c', q{SELECT count(*) FROM mf_recommend(1, 5, 'wide')} ],
        '<', \undef, '>', \$out, '2>', \$err);
    my $active = "FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT count(*) FROM $name(%'";
    $node->poll_query_until('postgres', "SELECT count(*) = 1 $active AND clock_timestamp() > query_start + interval '1 s' * $whole / 10") or die 'never';
    my ($cancelled, $at) = split /\|/, $node->safe_psql('postgres', "SELECT count(pg_cancel_backend(pid)), extract(epoch FROM clock_timestamp()) $active");
    is($cancelled, '1', "$name is cancelled");
    $run->finish;
    my ($ended, $items) = split /\n/, $out;
    cmp_ok($ended - $at, '<', 0.2 * $whole, 'soon');
    like($err, qr/canceling statement due to user request/, 'with the error');
    is($items, '5', 'and the session goes on');
}

# Ten thousand calls in one session. Contexts are PostgreSQL's view of the memory; the process also has the library's
# own memory and what the allocator keeps.
$node->safe_psql('postgres', q{
    CREATE TABLE ratings AS
        SELECT n % 300 AS user_id, (n * 7919 + n / 300) % 200 AS item_id, 1 + n % 5 AS rating
          FROM generate_series(1, 10000::bigint) n;
    CREATE INDEX ON ratings (user_id);
    CREATE TABLE movies AS SELECT i AS item_id, ARRAY['War', 'Love'] AS genre, i AS year FROM generate_series(0, 199) i;
    CREATE INDEX ON movies (item_id);
    SELECT mf_train('ratings', factors => 8, options => '{"item_features": "movies"}');
    INSERT INTO ratings SELECT user_id, 199, 5 FROM generate_series(0, 299, 2) user_id;
    ALTER DATABASE postgres SET mf_ext.default_model = 'ratings';
    CREATE PROCEDURE call_often(statement text) LANGUAGE plpgsql AS $$
    DECLARE n bigint; BEGIN
        FOR i IN 1 .. 10000 LOOP EXECUTE statement USING i % 310 INTO n; END LOOP;
    END $$;
});
my %small = (
    mf_recommend => 'SELECT count(*) FROM mf_recommend($1, 5)',
    mf_recommend_for => 'SELECT count(*) FROM mf_recommend_for(ARRAY[$1 % 200, 7], ARRAY[5, 1], 5)',
    mf_explain => 'SELECT count(*) FROM mf_explain($1, 5, 5)',
    mf_explain_item => 'SELECT count(*) FROM mf_explain_item($1 % 200, 5)',
    mf_similar_items => 'SELECT count(*) FROM mf_similar_items($1 % 200, 5)',
    mf_predict => 'SELECT count(mf_predict($1, i)) FROM generate_series(1, 2) i');
# Used memory, since allocated memory grows by half a megabyte when the catalog cache happens to need a block.
my $contexts = 'SELECT sum(used_bytes) FROM pg_backend_memory_contexts';
my $process = -r '/proc/self/status'
    ? q{SELECT (regexp_match(pg_read_file('/proc/self/status'), 'RssAnon:\s*(\d+)'))[1]::bigint * 1024} : 'SELECT 0';
for my $name (sort keys %small) {
    my $call = "CALL call_often('$small{$name}')";
    # The first measurement fills the session's catalog caches with what it needs itself.
    my (undef, undef, @bytes) = split /\n/, $node->safe_psql('postgres', "$contexts; $process" . "; $call; $contexts; $process" x 2);
    is(scalar @bytes, 4, "$name, ten thousand times, after as many");
    cmp_ok($bytes[2] - $bytes[0], '<=', 64 << 10, 'adds nothing to the memory contexts');
    cmp_ok($bytes[3] - $bytes[1], '<=', 1 << 20, 'nor to the process');
}

$node->stop;
done_testing();
