import ArgumentParser
import Testing

@testable import dtx

/// A command line that is refused, and the sentence that says why.
struct Refusal: Sendable, CustomTestStringConvertible {
  var arguments: [String]
  var message: String

  init(_ arguments: String, _ message: String) {
    self.arguments = arguments.split(separator: " ").map(String.init)
    self.message = message
  }

  var testDescription: String { arguments.joined(separator: " ") }
}

@Suite struct UsageTests {
  @Test(arguments: [
    Refusal("push", "push takes at least one source and a destination"),
    Refusal("push a", "push takes at least one source and a destination"),
    Refusal(
      "push h:a b",
      "the sources of a push are on this machine: use pull for one elsewhere"
    ),
    Refusal(
      "push a h:b c",
      "the sources of a push are on this machine: use pull for one elsewhere"
    ),
    Refusal(
      "push a -- -h:b",
      "The value '-h:b' is invalid for '<path>': a place is a path or [user@]host:path, and a "
        + "host does not begin with '-'"
    ),
    Refusal(
      "push a dtx://h/b",
      "The value 'dtx://h/b' is invalid for '<path>': a place is a path or [user@]host:path, not "
        + "a URL"
    ),
    Refusal("push --qiet a b", "Unknown option '--qiet'. Did you mean '--quiet'?"),
    Refusal("push -v -q a b", "give --verbose or --quiet, not both"),
    Refusal(
      "push --rate 10GB a b",
      "The value '10GB' is invalid for '--rate <rate>': a rate is in bits per second, such as "
        + "10G, 50Mbit or 1Gibit"
    ),
    Refusal(
      "push --compress 20 a b",
      "The value '20' is invalid for '--compress <mode>': compression is auto, off or a level "
        + "from 1 to 19"
    ),
    Refusal(
      "push --lanes 0 a b",
      "The value '0' is invalid for '--lanes <n>': there are 1 to 256 lanes"
    ),
    Refusal(
      "push --lanes 257 a b",
      "The value '257' is invalid for '--lanes <n>': there are 1 to 256 lanes"
    ),
    Refusal(
      "push --lane rate=1G --lanes 2 a b",
      "--lane says all about a lane: give neither --lanes nor --rate with it"
    ),
    Refusal(
      "push --lane rate=1G --rate 2G a b",
      "--lane says all about a lane: give neither --lanes nor --rate with it"
    ),
    Refusal(
      "push --lane reserved a b",
      "The value 'reserved' is invalid for '--lane <lane>': a reserved lane has a rate"
    ),
    Refusal(
      "push --lane rate=1G,connections=65 a b",
      "The value 'rate=1G,connections=65' is invalid for '--lane <lane>': connections: a lane has "
        + "1 to 64 connections"
    ),
    Refusal(
      "push --lane rate=1G,fast a b",
      "The value 'rate=1G,fast' is invalid for '--lane <lane>': there is no key 'fast', but rate, "
        + "reserved, policed, pace, layer, connections, name, bind, interface, to, dscp, "
        + "congestion, from, until"
    ),
    Refusal(
      "push --lane bind=999.0.2.7 a b",
      "bind: '999.0.2.7' is no address in digits, such as 192.0.2.7"
    ),
    Refusal(
      "push --lane to=a:1 --lane to=a:2 a b",
      "an end listens on one port: give --port where lanes go to several, which lead there"
    ),
    Refusal(
      "push --lanes-file /nonexistent/lanes a b",
      "The value '/nonexistent/lanes' is invalid for '--lanes-file <file>': /nonexistent/lanes "
        + "cannot be read: No such file or directory"
    ),
    Refusal(
      "push --rate 3 --lanes 4 a b",
      "these lanes cannot be planned: a rate below one bit per second and connection"
    ),
    Refusal(
      "push --lane rate=1,pace=95% a b",
      "these lanes cannot be planned: a rate below one bit per second and connection"
    ),
    Refusal(
      "push a b --on-change ignore",
      "The value 'ignore' is invalid for '--on-change <policy>': what a change leads to is fail, "
        + "retry or skip"
    ),
    Refusal(
      "push --cipher rot13 a b",
      "The value 'rot13' is invalid for '--cipher <cipher>': a cipher is aes-256-gcm or none"
    ),
    Refusal(
      "push --verify disk a b",
      "The value 'disk' is invalid for '--verify <level>': a level is memory, durable or media"
    ),
    Refusal(
      "push --block-size 1k a b",
      "The value '1k' is invalid for '--block-size <size>': a block has 64KiB to 1GiB"
    ),
    Refusal(
      "push --port 0 a b",
      "The value '0' is invalid for '--port <ports>': a port is 1 to 65535, a range two of them: "
        + "5000-5009"
    ),
    Refusal(
      "push --deadline 2h a b",
      "a deadline needs the lanes' rates, for without them nobody knows when all is done: give "
        + "--rate, --lane or --lanes-file"
    ),
    Refusal(
      "push --rate 1G --deadline soon a b",
      "The value 'soon' is invalid for '--deadline <time>': a deadline is a duration, such as 2h, "
        + "or a time, such as 2026-11-23T18:00:00Z"
    ),
    Refusal(
      "push --lane until=2026-11-23T18:00:00Z a b",
      "until: without a rate nobody knows whether a lane is done by then"
    ),
    Refusal(
      "push --wait-limit x a b",
      "The value 'x' is invalid for '--wait-limit <time>': a time is such as 90s, 30m or 2h"
    ),
    Refusal(
      "plan a b",
      "a plan needs the lanes' rates: give --rate, --lane or --lanes-file"
    ),
    Refusal(
      "plan --rate 1G a",
      "plan takes at least one source and a destination, or --bytes"
    ),
    Refusal(
      "plan --rate 1G h:a h:b",
      "one of source and destination is on this machine"
    ),
    Refusal(
      "plan --rate 1G --mtu 9000 a b",
      "--files, --rtt and --mtu describe what --bytes plans"
    ),
    Refusal(
      "plan --rate 1G --bytes 1TB a b",
      "--bytes stands for a source, and compares with no destination"
    ),
    Refusal(
      "plan --rate 1G --bytes 1TB --files 0",
      "The value '0' is invalid for '--files <n>': there are 1 to 10000000 files"
    ),
    Refusal(
      "plan --rate 1G --bytes 1TB --mtu 100",
      "The value '100' is invalid for '--mtu <bytes>': a packet has 576 to 65535 bytes"
    ),
    Refusal(
      "plan --rate 1G --sink-null a b",
      "a plan moves nothing that --sink-null could drop"
    ),
    Refusal(
      "plan --rate 1G --wait a b",
      "a plan takes nothing of a capacity: --capacity is for push and pull"
    ),
    Refusal("pull a", "Missing expected argument '<destination>'"),
    Refusal("pull a b c", "Unexpected argument 'c'"),
    Refusal(
      "pull a h:b",
      "the destination of a pull is on this machine: use push for another"
    ),
    Refusal(
      "push --source-null 1GiB a b",
      "--source-null is the source: push takes the destination alone"
    ),
    Refusal(
      "push --source-null 1GiB",
      "--source-null is the source: push takes the destination alone"
    ),
    Refusal(
      "pull --source-null 1GiB h:a b",
      "--source-null is the source: give the host alone, as host:"
    ),
    Refusal(
      "push --source-null 0 b",
      "The value '0' is invalid for '--source-null <size>': a made-up dataset has 1 byte to "
        + "1000000 GiB"
    ),
    Refusal(
      "push --source-null ten b",
      "The value 'ten' is invalid for '--source-null <size>': a size is in bytes, such as 10GiB "
        + "or 1TB"
    ),
    Refusal(
      "push --source-null 1GiB --checksum b",
      "--checksum reads a source, and --source-null has none"
    ),
    Refusal(
      "push --source-null 1GiB --exclude x b",
      "filters choose entries of a source, and --source-null has none"
    ),
    Refusal(
      "push --sink-null -n a b",
      "a dry run moves nothing that --sink-null could drop: give one of them"
    ),
    Refusal(
      "push --sink-null --checksum a b",
      "--checksum reads what is there, and --sink-null looks at nothing"
    ),
    Refusal(
      "pull --sink-null --verify memory a b",
      "--sink-null keeps nothing that --verify could prove"
    ),
    Refusal(
      "pull --sink-null --state-dir s a b",
      "--sink-null keeps nothing, and no state for --state-dir"
    ),
    Refusal("serve", "serve needs --stdio"),
    Refusal("verify -v -q a", "give --verbose or --quiet, not both"),
    Refusal("verify", "Missing expected argument '<directory>'"),
    Refusal("manifest diff a", "Missing expected argument '<new>'"),
    Refusal("psuh", "Unexpected argument 'psuh'"),
  ])
  func aCommandLineThatCannotBeMeantIsRefused(_ refusal: Refusal) throws {
    let error = try #require(throws: (any Error).self) {
      _ = try DTX.parseAsRoot(refusal.arguments)
    }
    #expect(DTX.exitCode(for: error) == ExitCode(ExitStatus.usage.rawValue))
    #expect(DTX.message(for: error) == refusal.message)
  }

  @Test func theBinarySaysItOnStandardErrorAlone() throws {
    let result = try Invocation("push", "--lanes", "0", "a", "b")
    #expect(result.status == 64)
    #expect(result.output.isEmpty)
    #expect(
      result.messages == """
        Error: The value '0' is invalid for '--lanes <n>': there are 1 to 256 lanes
        Help:  --lanes <n>  Number of lanes. (default: 4, locally no more than processors)
        Usage: dtx push [<options>] <source> ... <destination>
          See 'dtx push --help' for more information.

        """
    )
  }

  @Test func controlBytesOfAnArgumentDoNotReachTheTerminal() throws {
    let result = try Invocation([bytes("pull"), bytes("a"), bytes("b"), [0x63, 0xFF, 0x1B, 0x5B]])
    #expect(result.status == 64)
    #expect(result.messages.hasPrefix("Error: Unexpected argument 'c\\xff\\x1b['\n"))
  }
}
