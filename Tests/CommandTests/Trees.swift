import DTXLinux
import Glibc
import Testing

/// Trees to move, and the two programs that say whether a result is the same as its source.
enum Trees {
  /// Bytes that no one compresses or guesses; the same for the same seed.
  static func content(_ byteCount: Int, seed: UInt64) -> [UInt8] {
    var dice = Dice(seed: seed)
    return [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      var offset = 0
      while offset + 8 <= byteCount {
        raw.storeBytes(of: dice.next(), toByteOffset: offset, as: UInt64.self)
        offset += 8
      }
      while offset < byteCount {
        raw[offset] = UInt8(truncatingIfNeeded: dice.next())
        offset += 1
      }
      count = byteCount
    }
  }

  /// A few large files and many small ones.
  static func makeMixed(
    _ place: Workplace,
    _ name: String,
    largeByteCount: Int,
    largeCount: Int = 2,
    smallCount: Int = 200
  ) throws {
    for index in 0..<largeCount {
      try place.write(
        "\(name)/large-\(index)",
        content(largeByteCount, seed: UInt64(index) + 1)
      )
    }
    let bytes = content(40_000, seed: 99)
    for index in 0..<smallCount {
      let start = index * 37 % 20_000
      let end = start + index * 101 % 20_000
      try place.write("\(name)/small/\(index % 7)/\(index)", Array(bytes[start..<end]))
    }
  }

  /// Everything that a file system can hold and that is easily got wrong.
  static func makeHard(_ place: Workplace, _ name: String) throws {
    try makeMixed(place, name, largeByteCount: 5 << 20, smallCount: 20)
    for directory in ["empty", "deep/a/b/c/d/e/f/g", "closed", "sticky"] {
      try place.makeDirectory("\(name)/\(directory)")
    }
    try place.write("\(name)/none", "")
    try place.write("\(name)/closed/secret", "s", mode: 0o400)
    try place.write("\(name)/program", "#!/bin/sh\n", mode: 0o755)
    try place.write("\(name)/deep/a/b/c/d/e/f/g/leaf", "leaf")
    try makeHoles(place, name)
    let root = try Directory.open(bytes(place(name)))
    try makeStrangeNames(in: root)
    try root.makeSymlink(bytes("link"), target: bytes("program"))
    try root.makeSymlink(bytes("dangling"), target: bytes("no/such/thing"))
    try root.makeSymlink(bytes("loop"), target: bytes("loop"))
    try root.makeSymlink(bytes("to-directory"), target: bytes("deep/"))
    try root.makeSymlink(bytes("outside"), target: bytes("/etc/passwd"))
    try root.makeNode(bytes("fifo"), kind: .fifo, permissions: 0o640)
    // Times before 1970, far ahead, and with all their nanoseconds.
    try root.setTimes(of: bytes("none"), modified: -86_400_000_000_001)
    try root.setTimes(of: bytes("program"), modified: 4_102_444_800_123_456_789)
    try root.setTimes(of: bytes("link"), modified: 1_000_000_000_000_000_007)
    try root.setMode(of: bytes("sticky"), 0o1777)
    try root.setMode(of: bytes("closed"), 0o500)
    try root.setTimes(of: bytes("closed"), modified: 1_111_111_111_111_111_111)
    try root.setTimes(of: [], modified: 1_234_567_890_987_654_321)
  }

  private static func makeHoles(_ place: Workplace, _ name: String) throws {
    let hole = try File.open(bytes(place("\(name)/hole")), .create)
    try hole.setByteCount(64 << 20)
    try hole.close()
    let sparse = try File.open(bytes(place("\(name)/sparse")), .create)
    try sparse.write(content(100_000, seed: 5), at: 3 << 20)
    try sparse.write(content(5000, seed: 6), at: 40 << 20)
    try sparse.setByteCount((90 << 20) + 3)
    try sparse.close()
  }

  private static func makeStrangeNames(in root: Directory) throws {
    let names: [[UInt8]] = [
      bytes("line\nfeed"), bytes("tab\tand\u{1B}[31mcolour"), [0xFF, 0xFE, 0x80],
      bytes(" leading and trailing "), bytes("-n"), bytes("--delete"), bytes("quote'\"`$(id)"),
      bytes("back\\slash"), bytes("*?[x]"), bytes("über"), bytes("e\u{301}"), bytes("\u{E9}"),
      Array(repeating: 0x6E, count: 255), bytes(".hidden"), bytes("..."), bytes("host:path"),
      bytes(".dtx-not-ours"),
    ]
    for name in names {
      let file = try root.openFile(name, .createExclusive)
      try file.write(name, at: 0)
      try file.close()
    }
    try root.makeDirectory([0xC3, 0x28], permissions: 0o711)
    try root.makeSymlink([0xC3, 0x28, 0x2F, 0x0A], target: [0xFF])
  }

  /// Expects two directories to be the same, by two judges that know nothing of dtx.
  static func expectSame(
    _ place: Workplace,
    _ source: String,
    _ result: String,
    at location: SourceLocation = #_sourceLocation
  ) throws {
    let (from, to) = (source.hasPrefix("/") ? source : place(source), place(result))
    // A fifo would keep diff waiting for a writer.
    let difference = try Tool.run(
      "diff",
      "-r",
      "--no-dereference",
      "-x",
      ".dtx",
      "-x",
      "fifo",
      from,
      to
    )
    #expect(difference.status == 0, "\(difference.output.prefix(2000))", sourceLocation: location)
    let changes = try Tool.run(
      "rsync",
      "-naci",
      "--delete",
      "--exclude=/.dtx",
      "\(from)/",
      "\(to)/"
    )
    #expect(changes.status == 0, sourceLocation: location)
    #expect(changes.output == "", sourceLocation: location)
  }

  /// All that stat says of a tree but the times of reading, for comparing before and after.
  static func snapshot(_ path: String) throws -> String {
    try Tool.shell("find '\(path)' -printf '%P %y %m %U:%G %s %T@ %C@ %i %l\\n' | sort")
  }
}

/// Numbers that look random and are the same for the same seed.
struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// Another seed on every run, unless the environment says which: a failure names it.
  static func freshSeed() -> UInt64 {
    if let text = Host.environment("DTX_TEST_SEED"), let seed = UInt64(text) { return seed }
    return UInt64.random(in: 0...UInt64(UInt32.max))
  }

  /// SplitMix64 (Steele, Lea, Flood 2014).
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
