#!/usr/bin/env ruby
# An example url_rewrite_program: sends requests for listed domains elsewhere.
#
# usage: redirector.rb [BLOCKLIST [URL]]      see README.md

blocklist = ARGV[0] || File.join(__dir__, '..', 'blocklist.txt')
ELSEWHERE = (ARGV[1] || 'http://blocked.invalid/?host=%s').b

# The domains of a list, one a line, without comments.
def read_domains(path)
  File.binread(path).each_line.to_h do |line|
    [line.sub(/#.*/n, '').strip.downcase.sub(/\A\.+/n, ''), true]
  end
rescue SystemCallError => e
  abort "cannot read #{path}: #{e.message}"
end

# The host of a URL, or of the host:port that a CONNECT asks for.
def host_of(url)
  rest = url.split('://', 2).last || ''
  authority = rest[/\A[^\/?#]*/n].sub(/\A.*@/mn, '')
  return authority[/\A\[([^\]]*)/n, 1] if authority.start_with?('[') # an IPv6 address

  authority.sub(/:.*/mn, '').downcase.sub(/\.+\z/n, '')
end

# Whether the host or a domain above it is in the list.
def listed?(host, domains)
  until host.empty?
    return true if domains.key?(host)

    host = host.partition('.').last
  end
  false
end

# Makes text safe in a query.
def escape(text)
  text.gsub(/[^A-Za-z0-9._~-]/n) { |c| format('%%%02X', c.ord) }
end

# The answer to a line, without its end.
def answer(line, domains)
  url, second = line.split(/ /n, 3)
  channel = ''
  channel, url = "#{url} ", second if second && url.match?(/\A[0-9]+\z/n) # concurrency= is on
  host = host_of(url || '')
  return "#{channel}ERR" unless listed?(host, domains)

  to = ELSEWHERE.gsub('%s') { escape(host) }
  %(#{channel}OK status=302 url="#{to}")
end

domains = read_domains(blocklist)
# Lines are bytes: a URL need not be UTF-8, and an expression would end the program at one that is not.
$stdin.binmode
$stdout.binmode
$stdout.sync = true # Ruby would keep answers back, for the output is a pipe.
begin
  while (line = $stdin.gets("\n"))
    break unless line.end_with?("\n") # the proxy ended in the middle of it

    $stdout.write(answer(line.chomp, domains), "\n")
  end
rescue Errno::EPIPE, Interrupt
  exit! 1 # nobody is there to hear what Ruby would say
end
