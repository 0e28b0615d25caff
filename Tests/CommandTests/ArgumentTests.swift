import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux
import Testing

@testable import dtx

@Suite struct ArgumentTests {
  @Test(arguments: [
    ("10G", 10_000_000_000), ("50Mbit", 50_000_000), ("9540k", 9_540_000),
    ("2.5Gbps", 2_500_000_000), ("1Gib", 1_073_741_824), ("100Gbit/s", 100_000_000_000),
    ("1", 1),
  ])
  func ratesAreInBitsPerSecond(_ text: String, _ bitsPerSecond: UInt64) throws {
    #expect(try ArgumentValue.rate(text).bitsPerSecond == bitsPerSecond)
  }

  @Test(arguments: ["", "0", "-1", "10GB", "10 G", "G", "1.G", "1e9", "99999999999E", "1.2.3M"])
  func whatIsNoRateIsRefused(_ text: String) {
    #expect(throws: ValidationError.self) { try ArgumentValue.rate(text) }
  }

  @Test(arguments: [
    ("64KiB", 65_536), ("16MiB", 16_777_216), ("4MB", 4_000_000), ("1GiB", 1_073_741_824),
    ("1.5M", 1_500_000), ("65536", 65_536),
  ])
  func sizesAreInBytes(_ text: String, _ byteCount: UInt64) throws {
    #expect(try ArgumentValue.blockByteCount(text) == byteCount)
  }

  @Test(arguments: ["", "65535", "64KB", "1073741825", "2GiB", "16Mbit", "16MiBs", "-16MiB"])
  func sizesThatABlockCannotHaveAreRefused(_ text: String) {
    #expect(throws: ValidationError.self) { try ArgumentValue.blockByteCount(text) }
  }

  @Test(
    arguments: [
      ("5000", 5000...5000), ("5000-5009", 5000...5009), ("1-65535", 1...65_535), ("7-7", 7...7),
    ] as [(String, ClosedRange<UInt16>)]
  )
  func portsAreOneOrARange(_ text: String, _ ports: ClosedRange<UInt16>) throws {
    #expect(try ArgumentValue.ports(text) == ports)
  }

  @Test(arguments: ["", "0", "65536", "9-5", "5-", "-5", "5-6-7", "ssh", "5000,5001"])
  func whatIsNoPortIsRefused(_ text: String) {
    #expect(throws: ValidationError.self) { try ArgumentValue.ports(text) }
  }

  @Test(
    arguments: [
      ("auto", .auto), ("off", .off), ("1", .level(1)), ("19", .level(19)),
    ] as [(String, Compression)]
  )
  func compressionIsAModeOrALevel(_ text: String, _ compression: Compression) throws {
    #expect(try ArgumentValue.compression(text) == compression)
    let command: PullCommand = try parsed("pull", "--compress", text, "a", "b")
    #expect(command.transfer.dataset.compress == compression)
  }

  @Test(arguments: ["", "0", "20", "-1", "+3", "3.0", "on", "zstd", "Auto", "99999999999999999999"])
  func whatIsNoCompressionIsRefused(_ text: String) {
    #expect(throws: ValidationError.self) { try ArgumentValue.compression(text) }
  }

  @Test(arguments: [
    ("ssh", ["ssh"]), ("ssh -p 2222", ["ssh", "-p", "2222"]), ("  ssh\t-v ", ["ssh", "-v"]),
    ("ssh -o 'ProxyCommand nc -x h %h'", ["ssh", "-o", "ProxyCommand nc -x h %h"]),
    ("ssh -o\"a b\"c ''", ["ssh", "-oa bc", ""]),
  ])
  func remoteShellsAreSplitAsRsyncSplitsThem(_ text: String, _ words: [String]) throws {
    #expect(try ArgumentValue.words(text) == words)
  }

  @Test(arguments: ["", "  ", "''", "ssh 'x", "ssh \""])
  func whatIsNoRemoteShellIsRefused(_ text: String) {
    #expect(throws: ValidationError.self) { try ArgumentValue.words(text) }
  }

  @Test func placesAreBytes() throws {
    let text = ArgumentText.text(of: [0x61, 0x3A, 0xFF, 0x0A])
    let place = try ArgumentValue.endpoint(text)
    #expect(place == Endpoint(host: "a", path: [0xFF, 0x0A]))
  }
}

@Suite struct LaneArgumentsTests {
  @Test func fourLanesWithoutARateAreTheDefault() throws {
    let command: PushCommand = try parsed("push", "a", "b")
    let expected = Lane(contract: .bestEffort, rate: nil, connectionCount: 1)
    #expect(command.transfer.lanes.chosen.map(\.lane) == [expected, expected, expected, expected])
    #expect(command.transfer.lanes.chosen.allSatisfy { $0 == LaneDescription(expected) })
    let local = command.transfer.lanes.chosen(isLocal: true)
    #expect(local.count == min(4, Host.processorCount))
  }

  @Test func aRateIsSplitOverTheLanes() throws {
    let command: PushCommand = try parsed("push", "--rate", "10G", "--lanes", "3", "a", "b")
    let rates = command.transfer.lanes.chosen.map { $0.lane.rate?.bitsPerSecond }
    #expect(rates == [3_333_333_334, 3_333_333_333, 3_333_333_333])
  }

  @Test func aLaneOfItsOwnSaysAllAboutItself() throws {
    let command: PullCommand = try parsed(
      "pull",
      "--lane",
      "rate=2G,reserved,name=blue",
      "--lane",
      "connections=3,rate=12G",
      "a",
      "b"
    )
    #expect(
      command.transfer.lanes.chosen.map(\.lane) == [
        Lane(
          contract: .reserved,
          rate: Rate(bitsPerSecond: 2_000_000_000),
          connectionCount: 1,
          name: "blue"
        ),
        Lane(
          contract: .bestEffort,
          rate: Rate(bitsPerSecond: 12_000_000_000),
          connectionCount: 3
        ),
      ]
    )
  }

  @Test func lanesOfAFileFollowThoseOfTheCommandLine() throws {
    let scratch = try ScratchDirectory()
    let path = try scratch.file("lanes.toml", "[[lane]]\nrate = '1G'\n[[lane]]\nrate = '2G'\n")
    let command: PushCommand = try parsed(
      "push",
      "--lanes-file",
      path,
      "--lane",
      "rate=3G,to=dtn:5201",
      "a",
      "b"
    )
    let rates = command.transfer.lanes.chosen.map { $0.lane.rate?.bitsPerSecond }
    #expect(rates == [3_000_000_000, 1_000_000_000, 2_000_000_000])
    #expect(command.transfer.lanes.ports == 5201...5201)
  }

  @Test func thePortThatALaneGoesToIsAskedForUnlessAnotherIsGiven() throws {
    let command: PushCommand = try parsed("push", "--lane", "to=dtn:1", "--port", "2", "a", "b")
    #expect(command.transfer.lanes.ports == 2...2)
    let none: PushCommand = try parsed("push", "--lane", "to=dtn", "a", "b")
    #expect(none.transfer.lanes.ports == nil)
  }

  @Test func connectionsFollowFromTheRateWhereNobodySaysHowMany() throws {
    let command: PullCommand = try parsed("pull", "--lane", "rate=12G", "a", "b")
    #expect(command.transfer.lanes.chosen.map(\.lane.connectionCount) == [3])
  }
}

@Suite struct FilterArgumentsTests {
  @Test func rulesKeepTheOrderOfTheCommandLine() throws {
    let directory = try ScratchDirectory()
    let out = try directory.file("out", "*.bak\r\n\n# a comment\n; another\n*.tmp")
    let keep = try directory.file("keep", "/d/**\n")
    let command: PushCommand = try parsed(
      "push",
      "--include",
      "b",
      "--exclude-from",
      out,
      "--exclude",
      "a",
      "--include-from",
      keep,
      "src",
      "--include=c",
      "--exclude",
      "*",
      "dst"
    )
    let rules = try command.transfer.filters.rules().map { rule in
      (rule.isInclude ? "+" : "-") + String(decoding: rule.pattern, as: UTF8.self)
    }
    #expect(rules == ["+b", "-*.bak", "-*.tmp", "-a", "+/d/**", "+c", "-*"])
  }

  @Test func patternsAreBytes() throws {
    let command: PushCommand = try parsed(
      "push",
      "--exclude",
      ArgumentText.text(of: [0xFF, 0x2A]),
      "a",
      "b"
    )
    #expect(try command.transfer.filters.rules().map(\.pattern) == [[0xFF, 0x2A]])
  }

  @Test func aFileOfPatternsThatIsMissingIsNamed() throws {
    let command: PushCommand = try parsed("push", "--exclude-from", "/nowhere/p", "a", "b")
    let error = #expect(throws: TransferError.self) {
      try command.transfer.request(.push, from: [], to: Endpoint(host: nil, path: [0x62]))
    }
    #expect(error?.summary == "the patterns in /nowhere/p cannot be read")
    #expect(error?.cause == "open: No such file or directory (ENOENT)")
  }
}

@Suite struct TransferArgumentsTests {
  @Test(arguments: ["-a", "--archive", "-av", "-anv"])
  func theArchiveModeOfRsyncGoesWithoutSaying(_ option: String) throws {
    _ = try DTX.parseAsRoot(["push", option, "from/", "to"])
    _ = try DTX.parseAsRoot(["pull", option, "from/", "to"])
  }

  @Test func withoutOptionsTheDefaultsHold() throws {
    let command: PushCommand = try parsed("push", "a", "h:b")
    let request = try command.transfer.request(
      .push,
      from: Array(command.places.dropLast()),
      to: command.places[1]
    )
    #expect(request.direction == .push)
    #expect(request.sources == [Endpoint(host: nil, path: bytes("a"))])
    #expect(request.destination == Endpoint(host: "h", path: bytes("b")))
    #expect(request.cipher == nil)
    #expect(request.remoteShell == ["ssh"])
    #expect(request.remoteProgram == "dtx")
    #expect(request.ports == 0...0)
    #expect(request.stateDirectory == nil)
    #expect(request.options.blockByteCount == Limits.defaultBlockByteCount)
    #expect(request.options.verification == .durable)
    #expect(request.options.preservesOwner == (Host.effectiveUserID == 0))
    #expect(!request.options.isDryRun)
    #expect(!request.options.comparesDigests)
    #expect(!request.bootstraps)
    #expect(!request.allowsLanesThroughShell)
  }

  @Test func everyOptionReachesTheRequest() throws {
    let command: PullCommand = try parsed(
      "pull",
      "-n",
      "--checksum",
      "--block-size",
      "1MiB",
      "--no-owner",
      "--verify",
      "memory",
      "--io",
      "direct",
      "--state-dir",
      "/s",
      "-e",
      "ssh -p 22",
      "--dtx-path",
      "/opt/dtx",
      "--bootstrap",
      "--port",
      "5-6",
      "--lane-host",
      "data",
      "--allow-ssh-lanes",
      "--cipher",
      "none",
      "h:a",
      "b"
    )
    let request = try command.transfer.request(
      .pull,
      from: [command.source],
      to: command.destination
    )
    #expect(request.options.isDryRun)
    #expect(request.options.comparesDigests)
    #expect(request.options.blockByteCount == 1 << 20)
    #expect(!request.options.preservesOwner)
    #expect(request.options.verification == .memory)
    #expect(request.options.storage == .direct)
    #expect(request.stateDirectory == bytes("/s"))
    #expect(request.remoteShell == ["ssh", "-p", "22"])
    #expect(request.remoteProgram == "/opt/dtx")
    #expect(request.bootstraps)
    #expect(request.ports == 5...6)
    #expect(request.laneHost == "data")
    #expect(request.allowsLanesThroughShell)
    #expect(request.cipher == Cipher.none)
  }
}
