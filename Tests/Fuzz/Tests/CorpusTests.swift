internal import DTXCore
internal import Glibc
import Testing

/// Gives every decoder what fuzzing kept for it: inputs that reach its branches.
@Suite struct CorpusTests {
  private static let root =
    #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/Corpus"

  @Test(arguments: Decoder.all.map { $0.name })
  func whatWasKeptIsHandled(name: String) throws {
    let decoder = try #require(Decoder.all.first { $0.name == name })
    let files = CorpusTests.names(in: "\(CorpusTests.root)/\(name)")
    #expect(!files.isEmpty)
    for file in files {
      let bytes = try #require(CorpusTests.bytes(of: "\(CorpusTests.root)/\(name)/\(file)"))
      do throws(Violation) {
        try decoder.check(bytes)
      } catch {
        Issue.record("\(name)/\(file): \(error.reason)")
      }
    }
  }

  @Test func everyFolderIsADecoders() {
    #expect(CorpusTests.names(in: CorpusTests.root) == Decoder.all.map { $0.name }.sorted())
  }

  private static func names(in path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  private static func bytes(of path: String) -> [UInt8]? {
    guard let stream = fopen(path, "r") else { return nil }
    defer { fclose(stream) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&piece, 1, piece.count, stream), count > 0 {
      bytes += piece[..<count]
    }
    return bytes
  }
}
