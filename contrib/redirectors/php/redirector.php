#!/usr/bin/env php
<?php
// An example url_rewrite_program: sends requests for listed domains elsewhere.
//
// usage: redirector.php [BLOCKLIST [URL]]      see README.md

ini_set('display_errors', 'stderr'); // a warning on standard output would be taken for an answer
set_time_limit(0);

$blocklist = $argv[1] ?? __DIR__ . '/../blocklist.txt';
$elsewhere = $argv[2] ?? 'http://blocked.invalid/?host=%s';

// readDomains gives the domains of a list, one a line, without comments.
function readDomains(string $path): array
{
    $lines = @file($path);
    if ($lines === false) {
        fwrite(STDERR, "cannot read $path: " . (error_get_last()['message'] ?? '') . "\n");
        exit(1);
    }
    $domains = [];
    foreach ($lines as $line) {
        $name = ltrim(strtolower(trim(explode('#', $line)[0])), '.');
        if ($name !== '') {
            $domains[$name] = true;
        }
    }
    return $domains;
}

// hostOf gives the host of a URL, or of the host:port that a CONNECT asks for.
function hostOf(string $url): string
{
    $at = strpos($url, '://');
    $rest = $at === false ? $url : substr($url, $at + 3);
    $authority = substr($rest, 0, strcspn($rest, '/?#'));
    $at = strrpos($authority, '@');
    if ($at !== false) {
        $authority = substr($authority, $at + 1);
    }
    if (str_starts_with($authority, '[')) { // an IPv6 address
        return substr($authority, 1, strcspn($authority, ']') - 1);
    }
    return rtrim(strtolower(substr($authority, 0, strcspn($authority, ':'))), '.');
}

// listed says whether the host or a domain above it is in the list.
function listed(string $host, array $domains): bool
{
    while (true) {
        if (isset($domains[$host])) {
            return true;
        }
        $dot = strpos($host, '.');
        if ($dot === false) {
            return false;
        }
        $host = substr($host, $dot + 1);
    }
}

// answer gives the answer to a line, without its end.
function answer(string $line, array $domains, string $elsewhere): string
{
    $fields = explode(' ', $line, 3);
    $channel = '';
    if (count($fields) > 1 && ctype_digit($fields[0])) { // concurrency= is on
        $channel = array_shift($fields) . ' ';
    }
    $host = hostOf($fields[0]);
    if (!listed($host, $domains)) {
        return $channel . 'ERR';
    }
    return $channel . 'OK status=302 url="' . str_replace('%s', rawurlencode($host), $elsewhere) . '"';
}

$domains = readDomains($blocklist);
// PHP's strings are bytes, fgets takes lines of any length, and fwrite to STDOUT is a write(2).
while (($line = fgets(STDIN)) !== false) {
    if (!str_ends_with($line, "\n")) {
        break; // the proxy ended in the middle of it
    }
    if (@fwrite(STDOUT, answer(rtrim($line, "\r\n"), $domains, $elsewhere) . "\n") === false) {
        exit(1); // nobody is there any more
    }
}
