import Glibc

/// The files of this checkout, as the rules look at them.
enum Repository {
  struct TextFile: Sendable {
    /// Below the checkout's root.
    var path: String
    var lines: [String]

    init(path: String, text: String) {
      self.path = path
      lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
  }

  /// The directory that Package.swift is in.
  static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

  /// Everything that is kept here, but for what a build leaves.
  static func files() throws -> [TextFile] {
    let tops = ["Sources", "Tests", "Benchmarks", "man", ".ci"]
    let single = ["Package.swift", "README.md", ".swift-format"]
    return try tops.flatMap { try files(below: $0) } + single.map { try file($0) }
  }

  /// The regular files below a directory, sorted; none where there is no such directory.
  static func files(below path: String) throws -> [TextFile] {
    guard let directory = opendir("\(root)/\(path)") else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != "..", name != ".build" { names.append(name) }
    }
    return try names.sorted().flatMap { name in
      var status = stat()
      let below = "\(path)/\(name)"
      guard stat("\(root)/\(below)", &status) == 0 else { throw Failure(path: below) }
      if status.st_mode & S_IFMT == S_IFDIR { return try files(below: below) }
      return [try file(below)]
    }
  }

  static func file(_ path: String) throws -> TextFile {
    guard let stream = fopen("\(root)/\(path)", "r") else { throw Failure(path: path) }
    defer { fclose(stream) }
    return TextFile(path: path, text: read(stream))
  }

  /// What a program beside the tests prints on its standard output.
  static func output(of arguments: String) throws -> String {
    var path = [CChar](repeating: 0, count: 4097)
    guard readlink("/proc/self/exe", &path, 4096) > 0 else {
      throw Failure(path: "/proc/self/exe")
    }
    let tests = path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    let folder = String(decoding: tests[...(tests.lastIndex(of: 0x2F) ?? 0)], as: UTF8.self)
    guard let stream = popen("'\(folder)dtx' \(arguments)", "r") else {
      throw Failure(path: "\(folder)dtx")
    }
    let text = read(stream)
    guard pclose(stream) == 0 else { throw Failure(path: "\(folder)dtx \(arguments)") }
    return text
  }

  private static func read(_ stream: UnsafeMutablePointer<FILE>) -> String {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&piece, 1, piece.count, stream), count > 0 {
      bytes += piece[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  struct Failure: Error {
    var path: String
  }
}
