internal import Foundation
internal import Glibc

/// The dataset of a trial, the place it is moved to, and the programs that are run.
final class TrialBench {
  /// Of the source.
  let names: [String]
  let byteCount: Int
  private let arena: Arena

  /// Makes the source: large files of several blocks, and small ones in a few directories.
  ///
  /// - Parameters:
  ///   - arena: a place for all of it.
  ///   - seed: the same one gives the same bytes.
  /// - Throws: when it cannot be written.
  init(in arena: Arena, seed: UInt64) throws(HarnessError) {
    self.arena = arena
    var lot = Lot(seed: seed)
    var names: [String] = []
    var byteCount = 0
    for directory in ["", "small", "small/a", "small/b"] {
      try MachineFile.makeDirectory("\(arena.sources)/\(directory)")
    }
    for index in 0..<304 {
      let isLarge = index < 4
      let length = isLarge ? 12 << 20 : Int.random(in: 0..<40_000, using: &lot)
      let folder = isLarge ? "" : ["small/", "small/a/", "small/b/"][index % 3]
      var bytes = [UInt8](repeating: 0, count: length)
      for place in stride(from: 0, to: length - 7, by: 8) {
        bytes.withUnsafeMutableBytes {
          $0.storeBytes(of: lot.next(), toByteOffset: place, as: UInt64.self)
        }
      }
      names.append("\(folder)\(isLarge ? "large" : "file")-\(index)")
      byteCount += length
      try SparseFile.write(
        bytes,
        to: "\(arena.sources)/\(folder)\(isLarge ? "large" : "file")-\(index)"
      )
    }
    self.names = names
    self.byteCount = byteCount
    try MachineFile.makeDirectory(place("mount"))
  }

  /// A path of the trial's own.
  func place(_ name: String) -> String { "\(arena.state)/\(name)" }

  /// Where the dataset goes: in a trial of power, on the mounted disk.
  var tree: String { "\(place("mount"))/tree" }

  var source: String { arena.sources }

  /// What the latest program printed.
  private(set) var lines: [Substring] = []
  var lastLine: String { lines.last.map(String.init) ?? "" }

  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - arguments: the program and its arguments.
  ///   - environment: variables beside those that this process has.
  ///   - meanwhile: is done once it has begun.
  /// - Returns: its status, or 128 and a signal's number.
  /// - Throws: where there is no such program, and what `meanwhile` throws.
  func run(
    _ arguments: [String],
    environment: [String: String] = [:],
    meanwhile: () throws(HarnessError) -> Void = {}
  ) throws(HarnessError) -> Int32 {
    let log = place("log")
    unlink(log)
    let home = ["XDG_STATE_HOME": arena.state, "XDG_CONFIG_HOME": arena.state]
    let pid = try Spawning.start(
      arguments,
      environment: environment.merging(home) { mine, _ in mine },
      output: log
    )
    try meanwhile()
    let status = Spawning.wait(pid).status
    lines = MachineFile.lines(log)
    return status
  }

  /// Runs a tool that has to succeed, and gives its last line.
  @discardableResult
  func tool(_ arguments: [String]) throws(HarnessError) -> String {
    let status = try run(arguments)
    guard status == 0 else {
      throw HarnessError("\(arguments.joined(separator: " ")): \(status): \(lastLine)")
    }
    return lastLine
  }
}
