# A crash in the middle of whatever is done with models, of one session's process or of the whole server: afterwards the last
# version that was committed serves the same lists, and the tables hold what they held.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--data-checksums']);
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT n % 1000 AS user_id, (n * 7919 + n / 1000) % 1000 AS item_id, 1 + n % 5 AS rating
          FROM generate_series(1, 50000) n;
    CREATE INDEX ON ratings (user_id);
    CREATE VIEW slow AS SELECT * FROM ratings WHERE (SELECT pg_advisory_xact_lock_shared(48) IS NOT NULL);
    CREATE ROLE reader;
    SELECT mf_train('ratings', factors => 8), mf_train('ratings', factors => 9), mf_grant('ratings', 'reader');
});
my $state = q{
    SELECT string_agg(item_id || ':' || score || ':' || basis, ' ') FROM mf_recommend(7, 5);
    SELECT md5(string_agg(i::text, ' ' ORDER BY version, item_id)) FROM mf_item_factors i;
    SELECT md5(string_agg(u::text, ' ' ORDER BY version, user_id)) FROM mf_user_factors u;
    SELECT m::text FROM mf_models m ORDER BY version; SELECT * FROM mf_grants};
my $before = $node->safe_psql('postgres', $state);

sub start_psql {
    my @commands = @_;
    my ($out, $err) = ('', '');
    return IPC::Run::start(
        [ $node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres'), map { ('-c', $_) } @commands ],
        '<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout(180));
}

sub wait_until { $node->poll_query_until('postgres', $_[0]) or die "never: $_[0]"; }

# Starts the statements of a session, and of another one that holds them up if need be, and ends the server when a third one sees that
# the condition is met.
sub crash {
    my ($what, $statements, $condition, $holding) = @_;
    for my $end ('the session', 'the server') {
        my @sessions;
        $node->restart if $what =~ /cache/;    # what the last look has built
        if ($holding) {
            push @sessions, start_psql('BEGIN', $holding, 'SELECT pg_sleep(600)');
            wait_until(q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'});
        }
        push @sessions, start_psql('BEGIN', @$statements, '/* busy */ SELECT pg_sleep(600)');
        wait_until("SELECT count(*) = 1 FROM pg_stat_activity a LEFT JOIN mf_progress p USING (pid) WHERE $condition");
        if ($end eq 'the session') {
            kill 'KILL', $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity a LEFT JOIN mf_progress p USING (pid) WHERE $condition");
            $_->finish for @sessions;
            wait_until('SELECT true');
        } else {
            $node->stop('immediate');
            $_->finish for @sessions;
            $node->start;
        }
        is($node->safe_psql('postgres', $state), $before, "$end ends during $what: the same lists and factors as before");
        is($node->safe_psql('postgres', 'SELECT count(*) FROM mf_progress'), '0', 'nobody seems to train');
    }
}

my $training = q{SELECT mf_train('ratings', factors => 64, iterations => 1000, options => '{"ranking_iterations": 1000}')};
my $short = q{SELECT mf_train('ratings', factors => 8)};
my $busy = q{query LIKE '/* busy%'};
crash('the reading of a training', [q{SELECT mf_train('slow', 'ratings')}], q{phase = 'reading' AND wait_event = 'advisory'}, 'SELECT pg_advisory_xact_lock(48)');
crash('a training', [$training], q{iterations_done > 0});
crash('a publish that waits', [$short], q{phase = 'storing' AND wait_event_type = 'Lock'}, q{SELECT mf_grant('ratings', 'public')});
crash('a training that is not committed', [$short], $busy);
crash('the building of the cache', [q{/* builder */ SELECT count(*) FROM mf_recommend(1, 5)}], q{query LIKE '/* builder%' AND wait_event_type = 'Lock'},
    'LOCK TABLE mf_item_factor_data IN ACCESS EXCLUSIVE MODE');
crash('a change of the live version', [q{SELECT mf_set_live('ratings', 1)}], $busy);
crash('a drop', [q{SELECT mf_drop_model('ratings')}], $busy);
crash('what forgets a user', [q{SELECT * FROM mf_forget_user(7)}], $busy);

is($node->safe_psql('postgres', q{SELECT version FROM mf_train('ratings', factors => 8)}), '3', 'and training goes on');
$node->safe_psql('postgres', 'VACUUM mf_user_factor_data, mf_item_factor_data, mf_model_data');
$node->stop;
$node->command_ok([ 'pg_checksums', '--check', '-D', $node->data_dir ], 'all pages have their checksums');
done_testing();
