internal import Foundation
internal import Glibc

/// Small text files: those of proc and sys, and configurations of daemons.
package enum MachineFile {
  /// The whole text; empty where there is none.
  package static func text(_ path: String) -> String {
    guard let stream = fopen(path, "r") else { return "" }
    defer { fclose(stream) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16 << 10)
    while case let count = fread(&piece, 1, piece.count, stream), count > 0 {
      bytes += piece[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  package static func lines(_ path: String) -> [Substring] {
    text(path).split(separator: "\n")
  }

  /// The choice in brackets: `never` of `always [never]`.
  static func selected(_ path: String) -> String {
    guard let open = text(path).split(separator: "[").dropFirst().first else { return "" }
    return String(open.prefix { $0 != "]" })
  }

  package static func write(_ text: String, to path: String) throws(HarnessError) {
    guard let stream = fopen(path, "w") else { throw HarnessError("open", path, errno) }
    let isWritten = fputs(text, stream) >= 0
    guard fclose(stream) == 0, isWritten else { throw HarnessError("write", path, errno) }
  }

  package static func makeDirectory(_ path: String) throws(HarnessError) {
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
      throw HarnessError("mkdir", path, errno)
    }
  }

  /// Removes a directory with all that is in it, if it is there.
  package static func remove(_ path: String) {
    try? FileManager.default.removeItem(atPath: path)
  }
}
