#!/usr/bin/env perl
# An example url_rewrite_program: sends requests for listed domains elsewhere.
#
# usage: redirector.pl [BLOCKLIST [URL]]      see ../README.md
use strict;
use warnings;
use FindBin;

my $blocklist = shift // "$FindBin::Bin/../blocklist.txt";
my $elsewhere = shift // 'http://blocked.invalid/?host=%s';

$| = 1;    # Flush each answer: the output is a pipe, and Perl would keep it back.

my %blocked = read_domains($blocklist);
while (my $line = <STDIN>) {
    chomp $line;
    my @fields = split ' ', $line;
    if (!@fields) { print "\n"; next }

    my $channel = '';
    if (@fields > 1 && $fields[0] =~ /^\d+$/) {    # concurrency= is on
        $channel = shift(@fields) . ' ';
    }
    my $host = host_of($fields[0]);
    if (listed($host)) {
        (my $url = $elsewhere) =~ s/%s/escape($host)/ge;
        print qq{${channel}OK status=302 url="$url"\n};
    }
    else {
        print "${channel}ERR\n";
    }
}

# read_domains gives the domains of a list, one a line, without comments.
sub read_domains {
    my ($path) = @_;
    open my $file, '<', $path or die "cannot read $path: $!\n";
    my %domains;
    while (my $line = <$file>) {
        $line =~ s/#.*//;
        $domains{ lc $1 } = 1 if $line =~ /^\s*\.?(\S+)/;
    }
    close $file;
    return %domains;
}

# host_of gives the host of a URL, or of the host:port that a CONNECT asks for.
sub host_of {
    my ($url) = @_;
    $url =~ s{^[^/:]+://}{};
    my ($authority) = $url =~ m{^([^/?]*)};
    $authority =~ s/^.*@//;
    return $1 if $authority =~ /^\[(.*?)\]/;    # an IPv6 address
    $authority =~ s/:.*//;
    $authority =~ s/\.+$//;
    return lc $authority;
}

# listed says whether the host or a domain above it is in the list.
sub listed {
    my ($host) = @_;
    while ($host ne '') {
        return 1 if $blocked{$host};
        $host =~ s/^[^.]*\.?//;
    }
    return 0;
}

# escape makes text safe in a query.
sub escape {
    my ($text) = @_;
    $text =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
    return $text;
}
