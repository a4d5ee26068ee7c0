# Lists for many users are cancelled or timed out: the error is that of a cancelled statement, at once, and the session goes
# on and gives the lists that it gave before.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
# Long lists of many users among many items, and an item that may be for one of many users.
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE wide AS
        SELECT n % 20000 AS user_id, (n * 7919 + n / 20000 * 13) % 20000 AS item_id
          FROM generate_series(1, 200000::bigint) n;
    CREATE INDEX ON wide (user_id);
    CREATE TABLE many AS SELECT n AS user_id, n * 7919 % 1000 AS item_id FROM generate_series(1, 400000::bigint) n;
    CREATE INDEX ON many (user_id);
    SELECT mf_train(t, t::text, rating_column => NULL, feedback => 'implicit', factors => 16, iterations => 1) FROM unnest('{wide,many}'::regclass[]) t;
    -- Histories that have changed: their users are folded in.
    INSERT INTO wide SELECT u, u FROM generate_series(0, 19999, 5) u;
});
my $lists = q{
    SELECT md5(string_agg(concat_ws(' ', user_id, item_id, score, rank), ',' ORDER BY user_id, rank))
      FROM mf_recommend_all(5, 'wide', candidates => ARRAY(SELECT generate_series(0, 19999, 3)::bigint), exclude => ARRAY[3, 6], users => ARRAY(SELECT generate_series(0, 19999, 7)::bigint))
    UNION ALL SELECT md5(string_agg(concat_ws(' ', user_id, score, rank), ',' ORDER BY rank)) FROM mf_recommend_users(7, 100, 'many')
    UNION ALL SELECT md5(string_agg(concat_ws(' ', item_id, score, rank), ',' ORDER BY rank)) FROM mf_recommend(7, 10, 'wide')};

my %calls = (
    'candidates and users' => q{mf_recommend_all(300, 'wide', candidates => ARRAY(SELECT generate_series(0, 19999, 2)::bigint), users => ARRAY(SELECT generate_series(0, 19999, 2)::bigint))},
    'excluded items' => q{mf_recommend_all(300, 'wide', exclude => ARRAY(SELECT generate_series(0, 19999, 4)::bigint))},
    'a few users' => q{mf_recommend_all(8000, 'wide', users => ARRAY(SELECT generate_series(0, 800)::bigint))},
    'users for an item' => q{mf_recommend_users(7, 400000, 'many')},
    'users for an item among candidates' => q{mf_recommend_users(7, 400000, 'many', candidates => ARRAY(SELECT generate_series(1, 400000, 2)::bigint))});

my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe('\set VERBOSITY sqlstate');
my $pid = $session->query_safe('SELECT pg_backend_pid()');
my $before = $session->query_safe($lists);
like($before, qr/^\w{32}\n\w{32}\n\w{32}$/, 'there are lists');

# Used memory: none of what a cancelled call has taken stays.
my $used = q{SELECT sum(used_bytes) FROM pg_backend_memory_contexts};

# The error of a call that is ended after `moment` seconds, and the seconds that it took beyond that.
sub ended {
    my ($call, $moment, $by_cancel) = @_;
    my $timeout = int(1000 * $moment) || 1;
    my $canceller;
    my ($out, $err) = ('', '');
    if ($by_cancel) {
        $canceller = IPC::Run::start(
            [ $node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres'), '-c', qq{DO \$\$ BEGIN
                WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid AND state = 'active' AND query LIKE '/* victim */%'
                                     AND clock_timestamp() > query_start + interval '$timeout ms') LOOP
                    PERFORM pg_sleep(0.001), pg_stat_clear_snapshot();
                END LOOP;
                PERFORM pg_cancel_backend($pid);
            END \$\$} ],
            '<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout(180));
    } else {
        $session->query_safe("SET statement_timeout = $timeout");
    }
    my $began = time;
    $session->query("/* victim */ SELECT count(*) FROM $call");
    my $took = time - $began;
    my $error = $session->{stderr};
    $session->{stderr} = '';
    $canceller->finish if $canceller;
    $session->query_safe('SET statement_timeout = 0');
    return ($error, $took - $timeout / 1000);
}

for my $name (sort keys %calls) {
    # The least of three: other processes may be gone when the call is to be ended.
    my $whole = 1000;
    for (1 .. 3) {
        my $began = time;
        $session->query_safe("SELECT count(*) FROM $calls{$name}");
        my $took = time - $began;
        $whole = $took if $took < $whole;
    }
    my ($memory, $late) = ($session->query_safe($used), 0);
    for my $by_cancel (0, 1) {
        for my $part (0.05, 0.2, 0.4) {
            my ($error, $over) = ended($calls{$name}, $part * $whole, $by_cancel);
            like($error, qr/ERROR:  57014$/m, "$name: " . ($by_cancel ? 'cancelled' : 'timed out') . " after $part of it");
            is($session->query_safe($lists), $before, 'the session gives the same lists');
            $late = $over if $over > $late;
        }
    }
    cmp_ok($late, '<', 1, sprintf('%s: takes %.2f s, ends %.2f s after its time is up at most', $name, $whole, $late));
    cmp_ok($session->query_safe($used) - $memory, '<=', 64 << 10, 'nothing stays in memory');
}
is($node->safe_psql('postgres', $lists), $before, 'another session gives the same lists');

$session->quit;
$node->stop;
done_testing();
