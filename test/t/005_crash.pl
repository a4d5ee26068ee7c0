# The server, or a session, is killed in the middle of training, of storing, of publishing, of building the shared
# cache: afterwards the last published version serves the same lists from the same rows.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT n % 1000 AS user_id, (n * 7919 + n / 1000) % 1000 AS item_id, 1 + n % 5 AS rating
          FROM generate_series(1, 50000) n;
    CREATE INDEX ON ratings (user_id);
    SELECT mf_train('ratings', factors => 8);
    SELECT mf_train('ratings', factors => 8, seed => 2);
});
my $state = q{
    SELECT md5(string_agg(l::text, ' ')) FROM generate_series(1, 50) u, mf_recommend(u, 5) l;
    SELECT md5(string_agg(m::text, ' ' ORDER BY model_id)), count(*) FROM mf_model_data m;
    SELECT count(*) FROM mf_grant_data;
    SELECT md5(string_agg(u::text, ' ' ORDER BY model_id, user_id)), count(*) FROM mf_user_factor_data u;
    SELECT md5(string_agg(i::text, ' ' ORDER BY model_id, item_id)), count(*) FROM mf_item_factor_data i};
my $before = $node->safe_psql('postgres', $state);

sub start_session {
    my ($name, @commands) = @_;
    my ($out, $err) = ('', '');
    return IPC::Run::start(
        [ $node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres') . " application_name=$name",
            map { ('-c', $_) } @commands ],
        '<', \undef, '>', \$out, '2>', \$err);
}

sub wait_until { $node->poll_query_until('postgres', "SELECT count(*) = 1 $_[0]") or die "never: $_[0]"; }
sub wait_for_lock { wait_until("FROM pg_stat_activity WHERE application_name = 'victim' AND wait_event_type = 'Lock'"); }
sub lock_table {
    my ($table, $mode) = @_;
    my $session = start_session('locker', "BEGIN; LOCK $table IN $mode MODE; SELECT pg_sleep(600)");
    wait_until("FROM pg_stat_activity WHERE application_name = 'locker' AND wait_event = 'PgSleep'");
    return $session;
}

# Each brings a session called 'victim' to the point where it is killed.
my %moments = (
    '1: while it iterates' => sub {
        my $victim = start_session('victim', q{SELECT mf_train('ratings', factors => 128, iterations => 1000)});
        wait_until('FROM mf_progress WHERE iterations_done > 1');
        return $victim;
    },
    # The factors of items are stored, those of users wait.
    '2: while it stores' => sub {
        my $locker = lock_table('mf_user_factor_data', 'SHARE');
        my $victim = start_session('victim', q{SELECT mf_train('ratings', factors => 8, seed => 3)});
        wait_for_lock();
        return ($locker, $victim);
    },
    '3: when it has published and not committed' => sub {
        my $victim = start_session('victim', q{BEGIN; SELECT mf_train('ratings', factors => 8, seed => 3); SELECT pg_sleep(600)});
        wait_until("FROM pg_stat_activity WHERE application_name = 'victim' AND wait_event = 'PgSleep'");
        return $victim;
    },
    '4: while it builds the shared items' => sub {
        $node->restart;    # with an empty cache
        my $locker = lock_table('mf_item_factor_data', 'ACCESS EXCLUSIVE');
        my $victim = start_session('victim', q{SELECT * FROM mf_recommend(1, 5)});
        wait_for_lock();
        return ($locker, $victim);
    },
    '5: when it has changed versions, grants and users and not committed' => sub {
        my $victim = start_session('victim', q{BEGIN; SELECT mf_set_live('ratings', 1), mf_grant('ratings', 'public'); SELECT * FROM mf_forget_user(7);
            SELECT mf_drop_model('ratings', 2), mf_rename_model('ratings', 'other'); SELECT pg_sleep(600)});
        wait_until("FROM pg_stat_activity WHERE application_name = 'victim' AND wait_event = 'PgSleep'");
        return $victim;
    });

my %ends = (
    'a stop without a checkpoint' => sub { $node->stop('immediate'); $node->start; },
    'a SIGKILL of the session' => sub {
        my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE application_name = 'victim'});
        my $log = -s $node->logfile;
        kill 'KILL', $pid;
        $node->wait_for_log(qr/database system is ready to accept connections/, $log);
    },
    # Sessions that compute do not notice; the others end without help.
    'a SIGKILL of the server' => sub {
        my @pids = split /\n/, $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
        my $victim = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE application_name = 'victim'});
        $node->kill9;
        kill 'KILL', $victim;
        for my $pid (@pids) {
            usleep(10_000) while kill 0, $pid;
        }
        $node->start;
    });

for my $moment (sort keys %moments) {
    for my $end (sort keys %ends) {
        my @sessions = $moments{$moment}->();
        $ends{$end}->();
        $_->finish for @sessions;
        is($node->safe_psql('postgres', $state), $before, "$moment, $end: the same lists and rows");
        is($node->safe_psql('postgres', 'SELECT version, items FROM mf_cache'), '2|1000', 'from a new shared copy');
        is($node->safe_psql('postgres', 'SELECT count(*) FROM mf_progress'), '0', 'and no training run is shown');
    }
}

is($node->safe_psql('postgres', q{SELECT version FROM mf_train('ratings', factors => 8)}), '3', 'and training goes on');
isnt($node->safe_psql('postgres', $state), $before, 'to something else');

$node->stop;
done_testing();
