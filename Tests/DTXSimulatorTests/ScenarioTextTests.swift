import DTXCore
import DTXSimulator
import Testing

/// Scenarios as their users write them: dtx-scenario(5).
@Suite struct ScenarioTextTests {
  @Test func everyKeyIsTaken() throws {
    let scenario = try Scenario(parsing: ScenarioTextTests.everything)
    #expect(scenario.title == "all \"keys\"")
    #expect(scenario.seed == 7)
    #expect(scenario.blockByteCount == 1 << 20)
    #expect(scenario.startNanoseconds == 2 * Duration.second)
    #expect(scenario.retryNanoseconds == 30 * Duration.second)
    #expect(scenario.dataset.byteCount == 1_500_000_000)
    #expect(scenario.dataset.fileCount == 3)
    #expect(scenario.sender.coreCount == 8)
    #expect(scenario.sender.cipherSpeed == 1_000_000_000)
    #expect(scenario.sender.digestSpeed == 2_000_000_000)
    #expect(scenario.sender.copySpeed == 3_000_000_000)
    #expect(scenario.sender.readSpeed == 4_000_000_000)
    #expect(scenario.sender.entryRate == 500)
    #expect(scenario.sender.bufferByteCount == 1 << 20)
    #expect(scenario.receiver.writeSpeed == 5_000_000_000)
    #expect(scenario.receiver.syncNanoseconds == 9 * Duration.millisecond)
    #expect(scenario.path.delayNanoseconds == 1_500_000)
    #expect(scenario.path.packetByteCount == 9000)
    #expect(scenario.path.rate.bitsPerSecond == 40_000_000_000)
    #expect(scenario.path.lossPerBillion == 2_440_000)
    #expect(scenario.path.congestion == .bbr)
    #expect(
      scenario.lanes == [
        Lane(
          contract: .reserved,
          rate: Rate(bitsPerSecond: 10_000_000_000),
          connectionCount: 4,
          name: "a"
        ),
        Lane(
          contract: .bestEffort,
          rate: Rate(bitsPerSecond: 6_000_000_000),
          connectionCount: 2
        ),
      ]
    )
    #expect(scenario.competitors.map(\.flowCount) == [12])
    #expect(scenario.competitors.first?.rate?.bitsPerSecond == 30_000_000_000)
    #expect(scenario.competitors.first?.fromNanoseconds == 10 * Duration.second)
    #expect(scenario.competitors.first?.untilNanoseconds == 60 * Duration.second)
    #expect(
      scenario.faults == [
        ScenarioFault(.laneCut(lane: 1), at: .share(12_500_000), for: 600 * Duration.second),
        ScenarioFault(.laneCut(lane: nil), at: .nanoseconds(0), for: Duration.second),
        ScenarioFault(.powerLoss, at: .nanoseconds(60 * Duration.second), for: Duration.second),
        ScenarioFault(
          .slowDisk(bytesPerSecond: 1_000_000),
          at: .nanoseconds(5 * Duration.second)
        ),
        ScenarioFault(.corruptBlocks(count: 3), at: .share(0)),
      ]
    )
    #expect(scenario.variants.map(\.name) == ["half"])
    #expect(scenario.variants.first?.rateShare == 50_000_000)
    #expect(scenario.variants.first?.portCount == 2)
    #expect(scenario.variants.first?.connectionCount == 1)
    #expect(scenario.published.map(\.nanoseconds) == [3600 * Duration.second])
  }

  @Test func whatIsNotSaidHasAValue() throws {
    let scenario = try Scenario(parsing: ScenarioTextTests.least)
    #expect(scenario.blockByteCount == Limits.defaultBlockByteCount)
    #expect(scenario.variants.map(\.name) == ["as written"])
    #expect(scenario.lanes.map(\.connectionCount) == [1])
    #expect(scenario.receiver == ScenarioHost())
  }

  @Test func linesMayEndAsOnOtherSystems() throws {
    let text = ScenarioTextTests.least.split(separator: "\n").joined(separator: "\r\n")
    #expect(try Scenario(parsing: text) == Scenario(parsing: ScenarioTextTests.least))
    do throws(ScenarioError) {
      _ = try Scenario(parsing: "seed = 1\r\nseed = 2")
      Issue.record("a second seed was taken")
    } catch {
      #expect(error.line == 2)
    }
  }

  @Test(arguments: ScenarioTextTests.wrong)
  func whatIsWrongIsNamedWithItsLine(_ text: String, _ problem: String) {
    do throws(ScenarioError) {
      _ = try Scenario(parsing: text)
      Issue.record("taken: \(text)")
    } catch {
      #expect("\(error)" == problem)
    }
  }

  @Test(arguments: BuiltInScenario.all.map(\.name))
  func whatIsBuiltInCanBeRead(_ name: String) throws {
    let scenario = try #require(BuiltInScenario.named(name)).scenario()
    #expect(!scenario.title.isEmpty)
    #expect(!scenario.variants.isEmpty)
    for variant in scenario.variants {
      #expect(Lane.problem(in: variant.lanes(of: scenario)) == nil)
    }
  }

  @Test func aTextThatEndsAnywhereIsTakenOrRefused() {
    // Whatever is left of a text, there is a sentence and no trap.
    for end in ScenarioTextTests.everything.indices {
      let text = String(ScenarioTextTests.everything[..<end])
      do throws(ScenarioError) { _ = try Scenario(parsing: text) } catch {
        #expect(!error.problem.isEmpty)
      }
    }
  }

  private static let least = "[dataset]\nbytes = \"1GB\"\nfiles = 2\n[[lane]]\n"

  private static let everything = """
    # Every key there is.
    title = "all \\"keys\\""   # even a quote
    seed = 7
    block-size = "1MiB"
    start = "2s"
    retry = "30s"

    [dataset]
    bytes = "1.5GB"
    files = 3

    [sender]
    cores = 8
    cipher = "1GB/s"
    digest = "2GB/s"
    copy = "3GB/s"
    read = "4GB/s"
    entries-per-second = 500
    buffer = "1MiB"

    [receiver]
    write = "5GB/s"
    sync = "9ms"

    [path]
    delay = "1.5ms"
    mtu = 9000
    rate = "40G"
    loss = "0.244%"
    congestion = "bbr"

    [[lane]]
    name = "a"
    rate = "10G"
    reserved = true
    connections = 4

    [[lane]]
    rate = "6G"
    reserved = false

    [[competitor]]
    flows = 12
    rate = "30G"
    from = "10s"
    until = "1m"

    [[fault]]
    kind = "lane-cut"
    at = "12.5%"
    lane = 1
    for = "10m"

    [[fault]]
    kind = "lane-cut"
    at = "0s"
    for = "1s"

    [[fault]]
    kind = "power-loss"
    at = "60s"
    for = "1s"

    [[fault]]
    kind = "slow-disk"
    at = "5s"
    write = "1MB/s"

    [[fault]]
    kind = "corrupt-block"
    at = "0%"
    blocks = 3

    [[variant]]
    name = "half"
    rate = "50%"
    ports = 2
    connections = 1

    [[published]]
    name = "somebody"
    bytes = "1TB"
    time = "1h"
    """

  /// Texts, and what is said of them.
  private static let wrong: [(String, String)] = syntax + values + relations

  private static let syntax: [(String, String)] = [
    ("\n= 3", "line 2: '= 3' where a key should be"),
    ("seed", "line 1: 'seed' is followed by no '='"),
    ("seed =", "line 1: 'seed' has no value"),
    ("seed = # 3", "line 1: 'seed' has no value"),
    ("seed = 3 4", "line 1: '4' follows where the line should end"),
    ("seed = 3\nseed = 4", "line 2: 'seed' stands here a second time"),
    (
      "seed = three",
      "line 1: 'three' is neither a whole number, true or false, nor does it stand in quotes"
    ),
    (
      "seed = -3",
      "line 1: '-3' is neither a whole number, true or false, nor does it stand in quotes"
    ),
    ("title = \"x", "line 1: the quotes are not closed"),
    (
      "title = \"\\n\"",
      "line 1: a backslash stands before a quote or another backslash alone"
    ),
    ("[path", "line 1: the brackets are not closed"),
    ("[[lane]", "line 1: the brackets are not closed"),
    ("[]", "line 1: ']' where a table's name should be"),
    ("[path]\n[path]", "line 2: [path] stands here a second time"),
    (
      "[[lane]]\n[lane]",
      "line 2: 'lane' has one pair of brackets on one line and two on another"
    ),
    (
      "[lanes]",
      "line 1: there is no [lanes]; there are [dataset], [sender], [receiver], [path], [[lane]], "
        + "[[competitor]], [[fault]], [[variant]], [[published]]"
    ),
    (
      "[[path]]",
      "line 1: there is no [[path]]; there are [dataset], [sender], [receiver], [path], [[lane]], "
        + "[[competitor]], [[fault]], [[variant]], [[published]]"
    ),
    (
      "colour = 3",
      "line 1: there is no 'colour' before the first table; there are title, seed, block-size, "
        + "start, retry"
    ),
    (
      "[dataset]\nbytes = \"1GB\"\nfiles = 2\nwrite = 3",
      "line 4: there is no 'write' in [dataset]; there are bytes, files"
    ),
    (
      "[sender]\nwrite = \"1GB/s\"",
      "line 2: there is no 'write' in [sender]; there are cores, cipher, digest, copy, read, "
        + "entries-per-second, buffer"
    ),
  ]

  private static let values: [(String, String)] = [
    ("title = 3", "line 1: 'title' stands in quotes"),
    ("seed = \"3\"", "line 1: 'seed' is a whole number, without quotes"),
    ("block-size = \"big\"", "line 1: 'block-size' is a size, such as \"64MiB\", in quotes"),
    ("block-size = \"1\"", "line 1: 'block-size' is 65536 to 1073741824 bytes"),
    ("start = 3", "line 1: 'start' is a time, such as \"12ms\" or \"10m\", in quotes"),
    ("start = \"3\"", "line 1: 'start' is a time, such as \"12ms\" or \"10m\", in quotes"),
    ("start = \"40000d\"", "line 1: 'start' is at most 36525 days"),
    ("[dataset]\nfiles = 3", "line 1: [dataset] has no 'bytes'"),
    ("[dataset]\nbytes = \"1GB\"", "line 1: [dataset] has no 'files'"),
    ("[dataset]\nfiles = 0", "line 2: 'files' is 1 to 10000000"),
    ("[sender]\ncores = 0", "line 2: 'cores' is 1 to 4096"),
    (
      "[sender]\nread = \"3GB\"", "line 2: 'read' is a speed in bytes, such as \"3GB/s\", in quotes"
    ),
    ("[sender]\nread = \"0/s\"", "line 2: 'read' is at least 1 B/s and at most 1 PiB/s"),
    ("[path]\nmtu = 100", "line 2: 'mtu' is 576 to 65535"),
    ("[path]\nrate = \"fast\"", "line 2: 'rate' is a rate, such as \"10G\", in quotes"),
    (
      "[path]\nrate = \"1E\"",
      "line 2: 'rate' is at most 36028797018963968 bits per second"
    ),
    ("[path]\nloss = \"3\"", "line 2: 'loss' is a share, such as \"96%\", in quotes"),
    ("[path]\nloss = \"51%\"", "line 2: 'loss' is 0 to 50 per cent"),
    ("[path]\ndelay = \"11m\"", "line 1: 'delay' is at most 10 minutes"),
    (
      "[path]\ncongestion = \"vegas\"",
      "line 1: 'congestion' is \"reno\", \"cubic\" or \"bbr\""
    ),
    ("[[lane]]\nreserved = 1", "line 2: 'reserved' is true or false"),
    ("[[lane]]\nconnections = 65", "line 2: 'connections' is 1 to 64"),
    ("[[competitor]]\nfrom = \"2s\"\nuntil = \"2s\"", "line 1: 'until' comes after 'from'"),
    ("[[fault]]\nat = \"2s\"", "line 1: [[fault]] has no 'kind'"),
    ("[[fault]]\nkind = \"flood\"", "line 1: [[fault]] has no 'at'"),
    (
      "[[fault]]\nkind = \"flood\"\nat = \"1s\"",
      "line 1: 'kind' is \"lane-cut\", \"power-loss\", \"slow-disk\" or \"corrupt-block\""
    ),
    (
      "[[fault]]\nkind = \"lane-cut\"\nat = \"100%\"",
      "line 3: 'at' is a time, such as \"48m\", or a share of the bytes, such as \"50%\", in quotes"
    ),
    ("[[fault]]\nkind = \"lane-cut\"\nat = \"1s\"", "line 1: [[fault]] has no 'for'"),
    ("[[fault]]\nkind = \"power-loss\"\nat = \"1s\"", "line 1: [[fault]] has no 'for'"),
    ("[[fault]]\nkind = \"slow-disk\"\nat = \"1s\"", "line 1: [[fault]] has no 'write'"),
    ("[[fault]]\nkind = \"corrupt-block\"\nat = \"1s\"\nblocks = 9", "line 4: 'blocks' is 1 to 8"),
    ("[[variant]]\nports = 2", "line 1: [[variant]] has no 'name'"),
    ("[[variant]]\nname = \"x\"\nports = 17", "line 3: 'ports' is 1 to 16"),
    ("[[published]]\nname = \"x\"", "line 1: [[published]] has no 'bytes'"),
    (
      "[[published]]\nname = \"x\"\nbytes = \"1TB\"\ntime = \"0s\"",
      "line 1: 'time' is longer than nothing"
    ),
  ]

  private static let relations: [(String, String)] = [
    ("", "there is no [dataset]"),
    ("[dataset]\nbytes = \"1GB\"\nfiles = 2", "a transfer needs at least one lane"),
    (
      least + "reserved = true",
      "line 4: a reserved lane without a rate"
    ),
    (
      least + "rate = \"11G\"\nreserved = true",
      "line 4: the reserved lanes need more than the path carries"
    ),
    (
      least + "[[fault]]\nkind = \"lane-cut\"\nat = \"1s\"\nfor = \"1s\"\nlane = 1",
      "line 5: there is no lane 1"
    ),
    (
      least + "rate = \"1G\"\n[[variant]]\nname = \"x\"\nrate = \"0%\"",
      "line 6: a rate below one bit per second and connection"
    ),
  ]
}
