internal import Foundation
internal import Glibc

/// Devices, mounts and programs of a trial of power.
final class PowerBench {
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
    try MachineFile.makeDirectory(place("disk"))
  }

  /// A path of the trial's own.
  func place(_ name: String) -> String { "\(arena.state)/\(name)" }

  /// Where the dataset goes, on the mounted disk.
  var tree: String { "\(place("mount"))/tree" }

  var source: String { arena.sources }

  /// The last line that the latest program printed.
  private(set) var lastLine = ""

  /// Runs a program to its end.
  ///
  /// - Returns: its status, or 128 and a signal's number.
  func run(_ arguments: [String]) throws(HarnessError) -> Int32 {
    let log = place("log")
    unlink(log)
    let pid = try Spawning.start(
      arguments,
      environment: ["XDG_STATE_HOME": arena.state, "XDG_CONFIG_HOME": arena.state],
      output: log
    )
    let status = Spawning.wait(pid).status
    lastLine = MachineFile.lines(log).last.map(String.init) ?? ""
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

  /// Puts a loop device on a file.
  func attach(_ path: String) throws(HarnessError) -> String {
    try tool(["losetup", "--find", "--show", path])
  }

  func detach(_ device: String) {
    _ = try? run(["losetup", "--detach", device])
  }

  /// Mounts a device; what its journal holds is done now.
  func mount(_ device: String, _ fileSystem: PowerFileSystem) -> Bool {
    (try? run(["mount", "-t", fileSystem.rawValue, device, place("mount")])) == 0
  }

  func unmount() {
    _ = try? run(["umount", place("mount")])
  }
}
