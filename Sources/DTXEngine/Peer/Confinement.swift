internal import DTXCore
internal import DTXLinux
internal import Glibc

/// The directory that a server does not leave, whatever a peer's paths say and whatever they meet.
///
/// A peer that may write below it can make symbolic links there. So the text of a path proves
/// nothing, and neither does a look at it beforehand: each directory is opened beneath the root,
/// through no link.
struct Confinement: Sendable {
  private static let slash = UInt8(ascii: "/")

  private let root: Directory
  /// Absolute, without empty components; empty for the root of all.
  private let path: [UInt8]

  /// - Parameter root: as the user wrote it; it may be a link itself.
  /// - Throws: `.failed` when it cannot be opened.
  init(_ root: [UInt8]) throws(TransferError) {
    self.root = try TransferError.unless("the directory \(printable(root)) cannot be served") {
      () throws(SystemError) in try Directory.open(root)
    }
    path = ReceiptParty.absolute(root).split(separator: Confinement.slash)
      .filter { !$0.elementsEqual(".".utf8) }
      .reduce(into: []) { $0 += [Confinement.slash] + $1 }
  }

  /// Puts a path that a peer asks for below the root, as text.
  ///
  /// - Throws: `.refused` for one with `..`, and for one that leads to a dataset's state: what a peer
  ///   changes there decides what others' transfers do.
  func placed(_ asked: [UInt8]) throws(TransferError) -> [UInt8] {
    for component in asked.split(separator: Confinement.slash) {
      if component.elementsEqual("..".utf8) {
        throw TransferError(.refused, "a path with .. leads out of what this server serves")
      }
      if component.elementsEqual(StateMarker.directoryName) {
        throw TransferError(.refused, "a path with .dtx leads to state that this server keeps")
      }
    }
    if below(asked) != nil { return asked }
    return path + [Confinement.slash] + asked.drop { $0 == Confinement.slash }
  }

  /// Opens a directory at or below the root, through no symbolic link below it.
  ///
  /// - Parameter path: a part of what `placed` returned, from its beginning.
  /// - Returns: the directory; what is opened below it follows no link either.
  /// - Throws: ELOOP where a link is met, EXDEV for a path that is not below the root.
  func open(_ path: [UInt8]) throws(SystemError) -> Directory {
    guard let name = below(path) else {
      // Who asks for the root by its name is given it as an entry of this one.
      if path == above { return try Directory.open(path) }
      throw SystemError(operation: "open", subject: printable(path), number: EXDEV)
    }
    // Of what lies below the root of all, nothing leads out of it.
    return self.path.isEmpty ? try Directory.open(path) : try root.openDirectory(name)
  }

  /// The directory that the root is in.
  private var above: [UInt8] {
    let last = path.lastIndex(of: Confinement.slash) ?? path.startIndex
    return last == path.startIndex ? [Confinement.slash] : Array(path[..<last])
  }

  /// What is left of a path below the root, as a plain name; nil for any other path.
  private func below(_ asked: [UInt8]) -> [UInt8]? {
    guard asked.starts(with: path) else { return nil }
    let rest = asked.dropFirst(path.count)
    guard rest.first.map({ $0 == Confinement.slash }) ?? true else { return nil }
    let components = rest.split(separator: Confinement.slash).filter {
      !$0.elementsEqual(".".utf8)
    }
    return Array(components.joined(separator: [Confinement.slash]))
  }
}

extension Directory {
  /// Opens a directory that somebody named: where nothing confines them, links are followed.
  static func open(
    _ path: [UInt8],
    within confinement: Confinement?
  ) throws(SystemError) -> Directory {
    guard let confinement else { return try Directory.open(path) }
    return try confinement.open(path)
  }
}
