# Single allocations fail, at twenty points of each call and once more with all that follow: an error, nothing left
# behind, and the next call of this session and of another works. A library in front of the C library's makes them fail
# in the one session that is asked for. MF_ALLOCATIONS=all tries some hundred points instead of twenty.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'the address sanitizer allocates in its own way' if ($ENV{MF_SERVER_UNDER} // '') =~ /asan/;

my $folder = PostgreSQL::Test::Utils::tempdir;
my ($source, $library, $control) = map { "$folder/allocations.$_" } 'c', 'so', 'control';
append_to_file($source, <<'C');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
/* In a file that the test writes: whose allocations fail, how many succeed before, whether all fail from then on. */
struct control { _Atomic int pid; _Atomic int until_end; _Atomic long countdown; _Atomic long failed; };
static struct control* control;
extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);
static void* (*next_mmap)(void*, size_t, int, int, int, off_t);
static __attribute__((constructor)) void start(void) {
    const char* file = getenv("MF_ALLOCATIONS_CONTROL");
    const int fd = file ? open(file, O_RDWR) : -1;
    next_mmap = dlsym(RTLD_NEXT, "mmap");
    if (fd < 0) return;
    void* memory = next_mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory != MAP_FAILED) control = memory;
}
static int fails(void) {
    if (!control || control->pid == 0 || control->pid != getpid()) return 0;
    const long left = atomic_fetch_sub(&control->countdown, 1);
    if (left > 1 || (left < 1 && !control->until_end)) return 0;
    control->failed++;
    errno = ENOMEM;
    return 1;
}
void* malloc(size_t size) { return fails() ? 0 : __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return fails() ? 0 : __libc_calloc(count, size); }
void* realloc(void* memory, size_t size) { return fails() ? 0 : __libc_realloc(memory, size); }
void* aligned_alloc(size_t alignment, size_t size) { return fails() ? 0 : __libc_memalign(alignment, size); }
void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) {
    if (!next_mmap) next_mmap = dlsym(RTLD_NEXT, "mmap");
    return fails() ? MAP_FAILED : next_mmap(at, size, protection, flags, fd, offset);
}
C
append_to_file($control, "\0" x 4096);
plan skip_all => 'no C compiler that makes the library'
    if system("cc -shared -fPIC -O1 -o $library $source -ldl 2>$folder/cc.log") != 0 || `ldd --version 2>&1` !~ /GLIBC|GNU libc/;

sub control {
    open my $file, '+<:raw', $control or die;
    syswrite $file, pack('l l q q', @_, 0);
    close $file;
}
sub failed {
    open my $file, '<:raw', $control or die;
    sysread $file, my $bytes, 24;
    return (unpack('l l q q', $bytes))[3];
}

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\njit = off\nlog_min_messages = error\nmf_ext.max_threads = 3");
{
    local $ENV{LD_PRELOAD} = $library;
    local $ENV{MF_ALLOCATIONS_CONTROL} = $control;
    $node->start;
}
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT n % 300 AS user_id, (n * 7919 + n / 300) % 1000 AS item_id, 1 + n % 5 AS rating FROM generate_series(1, 9000::bigint) n;
    CREATE INDEX ON ratings (user_id);
    SELECT mf_train('ratings', factors => 16, iterations => 1, options => '{"ranking_iterations": 1}');
});
my $list = q{SELECT md5(string_agg(item_id || ':' || score, ' ')) FROM mf_recommend(7, 20, 'ratings')};
my $expected = $node->safe_psql('postgres', $list);
my $left = q{SELECT (SELECT count(*) FROM mf_progress) || ' ' ||
                    (SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid() AND (relation >= 16384 OR locktype = 'advisory'))};
my %calls = (
    'the first list' => $list,
    'a batch' => q{SELECT count(*) FROM mf_recommend_all(5, 'ratings')},
    'an evaluation' => q{SELECT count(*) FROM mf_evaluate('ratings', 'ratings')},
    'a report' => q{SELECT length(mf_report('ratings'))},
    'a training' => q{SELECT count(*) FROM mf_train('ratings', 'other', factors => 8, iterations => 1, options => '{"ranking_iterations": 1}')},
    'a search' => q{SELECT count(*) FROM mf_tune('ratings', '{"factors": [1, 2]}', iterations => 1)});

for my $what (sort keys %calls) {
    my $session = $node->background_psql('postgres', on_error_stop => 0);
    $session->set_query_timer_restart;
    my $pid = 0 + $session->query_safe('SELECT pg_backend_pid()');
    $session->query_safe(q{SET client_min_messages = error; SELECT FROM mf_models; SELECT mf_fold(1, 1, 2)});
    # Gives the error of the call whose allocation number $n fails, and how many failed.
    my $try = sub {
        my ($n, $until_end) = @_;
        # To be read anew.
        $node->safe_psql('postgres', q{UPDATE mf_model_data SET trained_at = trained_at + interval '1 s'});
        control($pid, $until_end, $n);
        $session->query("BEGIN; $calls{$what}; ROLLBACK");
        my $failed = failed();
        control(0, 0, 0);
        my $error = $session->{stderr};
        $session->{stderr} = '';
        return ($error, $failed);
    };
    my $all = 1;
    $all *= 2 while ($try->($all, 0))[1] > 0;
    my $points = ($ENV{MF_ALLOCATIONS} // '') eq 'all' ? 300 : 20;
    my (@wrong, $refused);
    my %tried;
    for my $point (1 .. $points) {
        my $n = int($all**($point / $points));
        next if $tried{$n}++;
        for my $until_end (0, 1) {
            my ($error, $failed) = $try->($n, $until_end);
            $refused++ if $error =~ /ERROR/;
            push @wrong, "$n: $error" if $error ne '' && $error !~ /out of memory|could not (map|resize) shared memory|Cannot allocate/;
            push @wrong, "$n: left $_" for grep { $_ ne '0 0' } $node->safe_psql('postgres', $left);
            push @wrong, "$n: then $_" for grep { $_ ne $expected } $session->query($list) =~ s/\s+\z//r, $node->safe_psql('postgres', "SET statement_timeout = '20s'; $list");
        }
    }
    is(join("\n", @wrong), '', "$what: an error that says so, nothing left, the same lists");
    cmp_ok($refused, '>=', 10, "$what: $refused calls refused");
    is(0 + $session->query_safe('SELECT pg_backend_pid()'), $pid, "$what: by a session that goes on");
    $session->quit;
}
unlike(slurp_file($node->logfile), qr/terminate called|was terminated by signal|PANIC|free\(\): |corrupt/, 'no process ended otherwise');
$node->stop;
done_testing();
