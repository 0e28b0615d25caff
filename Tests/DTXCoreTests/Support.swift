import DTXCore

/// Bytes from hexadecimal digits; blanks and what follows a `#` are left out.
func hex(_ text: String) -> [UInt8] {
  var bytes: [UInt8] = []
  var high: UInt8?
  for line in text.split(separator: "\n") {
    for character in line.prefix(while: { $0 != "#" }) {
      guard let digit = character.hexDigitValue else { continue }
      if let first = high {
        bytes.append(first << 4 | UInt8(digit))
        high = nil
      } else {
        high = UInt8(digit)
      }
    }
  }
  precondition(high == nil, "hexadecimal digits come in pairs")
  return bytes
}

/// All that the bytes become when one bit of them is turned.
func bitFlips(of bytes: [UInt8]) -> some Sequence<(bit: Int, bytes: [UInt8])> {
  (0..<bytes.count * 8).lazy.map { bit in
    var flipped = bytes
    flipped[bit / 8] ^= 1 << UInt8(bit % 8)
    return (bit, flipped)
  }
}

/// The error that a decoder ends with; nil when it takes the bytes.
func formatError(_ body: () throws(FormatError) -> Void) -> FormatError? {
  do throws(FormatError) {
    try body()
    return nil
  } catch {
    return error
  }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededNumbers {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number below `bound`.
  mutating func below(_ bound: Int) -> Int {
    Int(next() % UInt64(bound))
  }
}

/// A tree to be written down as an inventory: paths with what is there.
struct Tree {
  struct Node {
    var path: String
    var entry: Entry
    var attributes: [Attribute]
  }

  private(set) var nodes: [Node] = []

  mutating func add(
    _ path: String,
    _ kind: EntryKind = .regular,
    byteCount: UInt64 = 0,
    mode: UInt16 = 0o644,
    modified: Int64 = 0,
    attributes: [Attribute] = []
  ) {
    let entry = Entry(
      kind: kind,
      parent: nil,
      mode: mode,
      modified: modified,
      byteCount: byteCount
    )
    nodes.append(Node(path: path, entry: entry, attributes: attributes))
  }

  mutating func remove(_ index: Int) {
    nodes.remove(at: index)
  }

  mutating func change(_ index: Int, _ body: (inout Node) -> Void) {
    body(&nodes[index])
  }

  /// The nodes in canonical order.
  var sorted: [Node] {
    nodes.sorted { Inventory.precedes(Array($0.path.utf8), Array($1.path.utf8)) }
  }

  /// An inventory of the nodes at these places of `sorted`, with the contexts that it needs.
  func inventory(_ range: Range<Int>? = nil) -> Inventory {
    let nodes = sorted
    let own = range ?? nodes.indices
    var inventory = Inventory()
    var open: [(path: String, index: Int)] = []
    func place(_ node: Node, isContext: Bool) {
      let path = node.path
      while let last = open.last, !Tree.isBelow(path, last.path) { open.removeLast() }
      var entry = node.entry
      entry.parent = open.last?.index
      if isContext { entry.isContext = true }
      let name = path.split(separator: "/").last.map { Array($0.utf8) } ?? []
      let index = inventory.append(entry, name: name, attributes: node.attributes)
      if entry.kind == .directory { open.append((path, index)) }
    }
    if let first = own.first {
      for node in nodes[..<first] where Tree.isBelow(nodes[first].path, node.path) {
        place(node, isContext: true)
      }
    }
    for node in nodes[own] { place(node, isContext: false) }
    return inventory
  }

  private static func isBelow(_ path: String, _ directory: String) -> Bool {
    path != directory && (directory.isEmpty || path.hasPrefix(directory + "/"))
  }

  /// A tree of up to `count` nodes that depends on the seed alone.
  static func random(seed: UInt64, count: Int, blockByteCount: UInt64) -> Tree {
    var numbers = SeededNumbers(seed: seed)
    var tree = Tree()
    tree.add("", .directory, mode: 0o755)
    var directories = [""]
    var taken = [""]
    for _ in 0..<count {
      let name = String("ab-.Z~".dropFirst(numbers.below(6)).prefix(1)) + "\(numbers.below(20))"
      let parent = directories[numbers.below(directories.count)]
      let path = parent.isEmpty ? name : parent + "/" + name
      if taken.contains(path) { continue }
      taken.append(path)
      let modified = Int64(bitPattern: numbers.next())
      switch numbers.below(8) {
      case 0, 1:
        tree.add(path, .directory, mode: 0o755, modified: modified)
        directories.append(path)
      case 2:
        tree.add(path, .symlink, modified: modified, attributes: [.linkTarget(Array(name.utf8))])
      case 3:
        tree.add(path, .fifo, modified: modified)
      case 4:
        let first = UInt64(numbers.below(Int(blockByteCount) * 2))
        let ranges = [first..<first + 10, first + 100..<first + 100 + blockByteCount]
        tree.add(
          path,
          byteCount: first + 5 * blockByteCount,
          modified: modified,
          attributes: [.dataRanges(ranges), .sourceIdentity(numbers.next())]
        )
      default:
        let byteCount = UInt64(numbers.below(Int(blockByteCount) * 3))
        tree.add(
          path,
          byteCount: byteCount,
          modified: modified,
          attributes: [.sourceIdentity(numbers.next())]
        )
      }
    }
    return tree
  }
}

/// A digest for an extent that depends on its file's path and its place alone.
func digest(of extent: Extent, in inventory: Inventory) -> Digest {
  let path = inventory.path(of: Int(extent.entry))
  return Digest.xxh3(of: path + Array("\(extent.offset)+\(extent.byteCount)".utf8))
}

extension Segment {
  /// Digests for all of the extents.
  var inventedDigests: [Digest] {
    extents.map { digest(of: $0, in: inventory) }
  }

  /// All of a segment as a manifest's.
  func committed(
    digests: [Digest]? = nil,
    excluding excluded: [Int] = [],
    blockByteCount: UInt64
  ) -> ManifestSegment {
    var bits = BitSet(count: entries.count)
    for index in excluded { bits[index] = true }
    return ManifestSegment(
      self,
      digests: digests ?? inventedDigests,
      excluded: bits,
      blockByteCount: blockByteCount
    )
  }
}

/// Something to compare inventories by: a line for each entry.
func lines(_ inventory: Inventory) -> [String] {
  inventory.entries.indices.map { index in
    let entry = inventory.entries[index]
    let path = String(decoding: inventory.path(of: index), as: UTF8.self)
    let numbers = [
      UInt64(entry.mode), UInt64(entry.userID), UInt64(entry.groupID),
      UInt64(bitPattern: entry.modified), entry.byteCount, UInt64(entry.extentCount),
    ]
    return "\(path) \(entry.kind) \(entry.isContext) \(numbers) \(inventory.attributes(of: index))"
  }
}
