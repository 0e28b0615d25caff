import DTXCore
import Testing

/// Holds the reader of rtnetlink(7)'s messages to what kernels send.
@Suite struct EgressQueueTests {
  /// `tc qdisc add dev va root tbf rate 10mbit burst 10kb latency 50ms` on Linux 6.18, where va is
  /// device 2: one RTM_NEWQDISC and NLMSG_DONE.
  private static let bucket = hex(
    """
    bc000000 24000200 01000000 f1550000 00000000 02000000 00000a80 ffffffff 03000000 08000100
    74626600 2c000200 28000100 00010000 00000000 d0121300 00000000 00000000 00000000 241c0100
    00f40100 00000000 05000c00 00000000 30000700 14000100 00000000 00000000 00000000 00000000
    18000300 00000000 00000000 00000000 00000000 00000000 2c000300 00000000 00000000 00000000
    00000000 00000000 00000000 00000000 00000000 00000000 00000000 14000000 03000200 01000000
    f1550000 00000000
    """
  )

  /// `tc qdisc add dev va root handle 1: htb default 10` there.
  private static let hierarchy = hex(
    """
    b4000000 24000200 01000000 1e560000 00000000 02000000 00000100 ffffffff 03000000 08000100
    68746200 24000200 18000200 11000300 0a000000 10000000 00000000 00000000 08000500 e8030000
    05000c00 00000000 30000700 14000100 00000000 00000000 00000000 00000000 18000300 00000000
    00000000 00000000 00000000 00000000 2c000300 00000000 00000000 00000000 00000000 00000000
    00000000 00000000 00000000 00000000 00000000 14000000 03000200 01000000 1e560000 00000000
    """
  )

  /// Its classes: 1:1 with 100 Mb/s, and below it 1:10 with 50 Mb/s and a ceiling of 80 Mb/s.
  private static let classes = hex(
    """
    ec000000 28000200 01000000 47560000 00000000 02000000 10000100 01000100 00000000 08000100
    68746200 34000200 30000100 00010000 00000000 105e5f00 00010000 00000000 80969800 a00f0000
    c4090000 400d0300 00000000 00000000 48000700 14000100 00000000 00000000 00000000 00000000
    18000300 00000000 00000000 00000000 00000000 00000000 18000400 00000000 00000000 00000000
    a00f0000 c4090000 2c000300 00000000 00000000 00000000 00000000 00000000 00000000 00000000
    00000000 00000000 00000000 18000400 00000000 00000000 00000000 a00f0000 c4090000 ec000000
    28000200 01000000 47560000 00000000 02000000 01000100 ffffffff 00000000 08000100 68746200
    34000200 30000100 00010000 00000000 20bcbe00 00010000 00000000 20bcbe00 d0070000 d0070000
    400d0300 07000000 00000000 48000700 14000100 00000000 00000000 00000000 00000000 18000300
    00000000 00000000 00000000 00000000 00000000 18000400 00000000 00000000 00000000 d0070000
    d0070000 2c000300 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
    00000000 00000000 18000400 00000000 00000000 00000000 d0070000 d0070000 14000000 03000200
    01000000 47560000 00000000
    """
  )

  /// fq at the root of device 2 with maxrate 500mbit, as linux/pkt_sched.h has its attributes.
  private static let fair = hex(
    """
    58000000 24000200 01000000 00000000 00000000 02000000 00000180 ffffffff 00000000 07000100
    66710000 2c000200 08000100 10270000 08000500 01000000 08000600 00000000 08000700 a0acb903
    08000800 0a000000
    """
  )

  /// mq with two of these, and a device 3 without a queue.
  private static let multiple = hex(
    """
    30000000 24000200 01000000 00000000 00000000 02000000 00000000 ffffffff 00000000 07000100
    6d710000 04000200 38000000 24000200 01000000 00000000 00000000 02000000 00000280 01000000
    00000000 07000100 66710000 0c000200 08000700 a0acb903 38000000 24000200 01000000 00000000
    00000000 02000000 00000380 02000000 00000000 07000100 66710000 0c000200 08000700 a0acb903
    34000000 24000200 01000000 00000000 00000000 03000000 00000000 ffffffff 00000000 0c000100
    6e6f7175 65756500 04000200
    """
  )

  @Test func aTokenBucketLetsItsRateThrough() throws {
    let limit = EgressQueue.Limit(bytesPerSecond: 1_250_000, isPerConnection: false)
    #expect(
      try Self.read(Self.bucket) == EgressQueue(interface: "va", kind: "tbf", limit: limit)
    )
    #expect(try Self.read(Self.bucket, device: 3) == nil)
  }

  @Test func aHierarchyLetsItsHighestCeilingThrough() throws {
    let limit = EgressQueue.Limit(bytesPerSecond: 10_000_000, isPerConnection: false)
    let whole = EgressQueue(interface: "va", kind: "htb", limit: limit)
    #expect(try Self.read(Self.hierarchy, Self.classes) == whole)
    // A packet that goes to no class goes past all of them.
    var stray = Self.hierarchy
    let place = try #require(stray.firstIndex(of: 0x11)) + 8
    #expect(stray[place] == 0x10, "the default class")
    stray[place] = 0x20
    #expect(try Self.read(stray, Self.classes)?.limit == nil)
    #expect(try Self.read(Self.hierarchy)?.limit == nil)
  }

  @Test func fairQueueingLimitsEachConnection() throws {
    let limit = EgressQueue.Limit(bytesPerSecond: 62_500_000, isPerConnection: true)
    #expect(try Self.read(Self.fair) == EgressQueue(interface: "va", kind: "fq", limit: limit))
    #expect(
      try Self.read(Self.multiple) == EgressQueue(interface: "va", kind: "mq fq", limit: limit)
    )
    #expect(
      try Self.read(Self.multiple, device: 3)
        == EgressQueue(interface: "va", kind: "noqueue", limit: nil)
    )
    var unlimited = Self.fair
    let rate: [UInt8] = [0xA0, 0xAC, 0xB9, 0x03]
    let place = try #require(
      unlimited.indices.first { unlimited[$0...].starts(with: rate) },
      "the rate"
    )
    for index in place..<place + 4 { unlimited[index] = 0xFF }
    #expect(try Self.read(unlimited) == EgressQueue(interface: "va", kind: "fq", limit: nil))
  }

  @Test func messagesThatEndEarlyAreRefused() {
    for golden in [Self.bucket, Self.hierarchy, Self.fair] {
      // Behind the first message nothing more is needed.
      let first = Int(golden[0]) | Int(golden[1]) << 8
      for count in 1..<first {
        #expect(throws: FormatError.self, "\(count) bytes") {
          try Self.read(Array(golden.prefix(count)), [])
        }
      }
    }
    for count in 1..<Int(Self.classes[0]) {
      #expect(throws: FormatError.self, "\(count) bytes") {
        try Self.read(Self.hierarchy, Array(Self.classes.prefix(count)))
      }
    }
  }

  @Test func noBitOfAMessageTrapsTheReader() {
    for golden in [Self.bucket, Self.hierarchy, Self.classes, Self.fair, Self.multiple] {
      for (_, bytes) in bitFlips(of: golden) {
        _ = try? Self.read(bytes, Self.classes)
        _ = try? Self.read(Self.hierarchy, bytes)
      }
    }
  }

  @Test func aLoadHasItsEthernetHeadersWithoutTheGaps() {
    let shape = SegmentShape(segmentByteCount: 1448, isV6: false)
    let rate = Rate(bitsPerSecond: 1538 * 8000)
    #expect(EgressQueue.load(of: rate, counting: .l2, shape) == 1514 * 1000)
    let packets = Rate(bitsPerSecond: 1500 * 8000)
    #expect(EgressQueue.load(of: packets, counting: .l3, shape) == 1514 * 1000)
  }

  private static func read(
    _ disciplines: [UInt8],
    _ classes: [UInt8] = [],
    device: UInt32 = 2
  ) throws(FormatError) -> EgressQueue? {
    try EgressQueue.read(
      disciplines: disciplines,
      classes: classes,
      interface: "va",
      index: device
    )
  }
}
