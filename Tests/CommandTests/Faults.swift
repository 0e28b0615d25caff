import DTXLinux
import Glibc
import Testing

/// Watches what a command does to the files below a directory, and makes a call of it fail.
///
/// Tests/CFaults is preloaded into the command and into the processes that it starts.
struct Faults {
  /// One call that goes another way: the process's `number`th that matches.
  struct Fault: Sendable, CustomStringConvertible {
    enum Action: Sendable, Equatable {
      case killBefore, killAfter
      /// The call does nothing but return this error number.
      case fail(Int32)
      /// So do all that follow it.
      case failOn(Int32)
      case stall(milliseconds: Int)
      /// The call waits for `whileHeld`.
      case hold
      /// A read gives one byte wrongly, and so do all that follow.
      case rot, rotOn
    }

    var action: Action
    /// The C library's function, as fnmatch(3) has it.
    var call: String
    /// As fnmatch(3) has it, for the path below the directory.
    var pattern: String
    var number = 1

    var description: String {
      let place = "\(call):\(pattern):\(number)"
      switch action {
      case .killBefore: return "kill-before:\(place)"
      case .killAfter: return "kill-after:\(place)"
      case .fail(let error): return "fail:\(place):\(error)"
      case .failOn(let error): return "fail-on:\(place):\(error)"
      case .stall(let milliseconds): return "stall:\(place):\(milliseconds)"
      case .hold: return "hold:\(place)"
      case .rot: return "rot:\(place)"
      case .rotOn: return "rot-on:\(place)"
      }
    }
  }

  /// What a lock on a file below the directory is worth to others; the directory looks as if it
  /// were on a network file system.
  enum Locks: String, Sendable {
    /// Every process gets every lock, as hosts do that share none.
    case unshared
    case none
  }

  private let place: Workplace
  private let root: String
  private let log: String
  private let locks: Locks?
  private let folds: String?
  private let keepsCases: Bool
  private let longestNameByteCount: Int

  /// - Parameters:
  ///   - place: where the log is written.
  ///   - root: the directory, which must be there.
  ///   - log: a name for what is written; nil for a new one.
  ///   - locks: nil for those of the file system.
  ///   - folds: directories in which names that differ in case, or in how an accent is composed, are
  ///     one, as fnmatch(3) has it.
  ///   - keepsCases: whether those that differ in case are two there.
  ///   - longestNameByteCount: how long a name may be.
  init(
    _ place: Workplace,
    below root: String,
    log: String? = nil,
    locks: Locks? = nil,
    folds: String? = nil,
    keepsCases: Bool = false,
    longestNameByteCount: Int = 255
  ) {
    self.place = place
    self.root = root
    self.locks = locks
    self.folds = folds
    self.keepsCases = keepsCases
    self.longestNameByteCount = longestNameByteCount
    self.log = log ?? "faults-\(Clock.now())"
  }

  /// The library lies beside the program.
  private static var preloaded: String {
    get throws {
      let program = try Site.builtProgram()
      return program.dropLast("dtx".count) + "libfaults.so"
    }
  }

  /// A sanitizer's own calls stand before those of any library that is loaded.
  static let isShadowed =
    dlsym(nil, "__tsan_init") != nil || dlsym(nil, "__asan_init") != nil

  /// Words before a command; under a sanitizer the test ends here.
  func launcher(_ fault: Fault? = nil) throws -> [String] {
    if Self.isShadowed { try Test.cancel("under a sanitizer no call can be made to fail") }
    let library = try Self.preloaded
    try #require(access(library, R_OK) == 0, "\(library) was not built")
    var words = ["env", "LD_PRELOAD=\(library)", "FAULTS_ROOT=\(place(root))"]
    words.append("FAULTS_LOG=\(place(log))")
    if let fault { words.append("FAULTS_CALL=\(fault)") }
    words.append("FAULTS_NAMES=\(longestNameByteCount)")
    if keepsCases { words.append("FAULTS_CASES=kept") }
    if let folds { words.append("FAULTS_FOLDS=\(folds)") }
    if let locks { words.append("FAULTS_LOCKS=\(locks.rawValue)") }
    return words
  }

  /// Does something while the call is held, which then goes on.
  func whileHeld(_ change: () throws -> Void) throws {
    try awaitHeld()
    defer { try? release() }
    try change()
  }

  /// Waits until the call is held.
  func awaitHeld() throws {
    try waitUntil("a call to hold") { place.exists("\(log).reached") }
  }

  /// Lets the call go on.
  func release() throws {
    try place.write("\(log).go", "")
  }

  /// What was done, line by line.
  func calls() throws -> [NotedCall] {
    try place.text(log).split(separator: "\n").map { try NotedCall(line: $0) }
  }
}

/// The beginning or the end of a call that the preloaded library noted.
struct NotedCall: Sendable {
  var isEnd: Bool
  var process: Int32
  /// The process's calls are numbered; beginning and end share a number.
  var number: Int
  var name: String
  /// Below the directory that is watched.
  var path: String
  var newPath: String
  var offset: Int
  var byteCount: Int
  /// At the end.
  var result: Int
  /// What is written to a file's end, at the beginning.
  var bytes: [UInt8]

  init(line: Substring) throws {
    let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    try #require(fields.count == 9, "\(line)")
    isEnd = fields[0] == "end"
    process = try #require(Int32(fields[1]))
    number = try #require(Int(fields[2]))
    name = fields[3]
    path = fields[4]
    newPath = fields[5]
    offset = try #require(Int(fields[6]))
    byteCount = try #require(Int(fields[7]))
    result = isEnd ? try #require(Int(fields[8])) : 0
    let digits = isEnd ? [] : Array(fields[8].utf8)
    bytes = stride(from: 0, to: digits.count - 1, by: 2).map { index in
      let text = String(decoding: digits[index..<index + 2], as: UTF8.self)
      return UInt8(text, radix: 16) ?? 0
    }
  }
}
