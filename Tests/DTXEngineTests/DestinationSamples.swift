import DTXCore
import DTXLinux
import Glibc

/// One entry of a dataset that exists only in a test.
struct Sample {
  var path: [UInt8]
  var entry: Entry
  var content: [UInt8] = []
  var attributes: [Attribute] = []

  static let time: Int64 = 1_500_000_000_123_456_789

  static func root(mode: UInt16 = 0o755, modified: Int64 = time) -> Sample {
    directory("", mode: mode, modified: modified)
  }

  static func directory(_ path: String, mode: UInt16 = 0o755, modified: Int64 = time) -> Sample {
    Sample(
      path: Array(path.utf8),
      entry: Entry(kind: .directory, parent: nil, mode: mode, modified: modified)
    )
  }

  static func file(
    _ path: String,
    _ byteCount: Int,
    seed: UInt8 = 1,
    mode: UInt16 = 0o644,
    modified: Int64 = time
  ) -> Sample {
    file(Array(path.utf8), byteCount, seed: seed, mode: mode, modified: modified)
  }

  static func file(
    _ path: [UInt8],
    _ byteCount: Int,
    seed: UInt8 = 1,
    mode: UInt16 = 0o644,
    modified: Int64 = time
  ) -> Sample {
    var sample = Sample(
      path: path,
      entry: Entry(
        kind: .regular,
        parent: nil,
        mode: mode,
        userID: Host.effectiveUserID,
        groupID: getegid(),
        modified: modified,
        byteCount: UInt64(byteCount)
      )
    )
    sample.content = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) ^ seed }
    sample.attributes = [.sourceIdentity(77 + UInt64(seed))]
    return sample
  }

  static func sparse(_ path: String, _ byteCount: UInt64, _ ranges: [Range<UInt64>]) -> Sample {
    var sample = file(path, 0)
    sample.entry.byteCount = byteCount
    sample.content = Array(repeating: 0, count: Int(byteCount))
    for offset in ranges.joined() {
      sample.content[Int(offset)] = UInt8(truncatingIfNeeded: offset % 251 + 1)
    }
    sample.attributes = [.dataRanges(ranges), .sourceIdentity(99)]
    return sample
  }

  static func symlink(_ path: String, _ target: String, modified: Int64 = time) -> Sample {
    var sample = Sample(
      path: Array(path.utf8),
      entry: Entry(kind: .symlink, parent: nil, mode: 0o777, modified: modified)
    )
    sample.attributes = [.linkTarget(Array(target.utf8))]
    return sample
  }

  static func fifo(_ path: String) -> Sample {
    Sample(
      path: Array(path.utf8),
      entry: Entry(kind: .fifo, parent: nil, mode: 0o640, modified: time)
    )
  }
}

/// A dataset of samples, cut into segments.
struct TestDataset {
  static let blockByteCount: UInt64 = 64 << 10

  let segments: [Segment]
  private let contents: [[UInt8]: [UInt8]]

  /// - Parameters:
  ///   - samples: in any order; parents are given.
  ///   - starts: paths that begin a further segment.
  ///   - blockByteCount: where files are cut.
  init(
    _ samples: [Sample],
    starts: [String] = [],
    blockByteCount: UInt64 = TestDataset.blockByteCount
  ) {
    let sorted = samples.sorted { Inventory.precedes($0.path, $1.path) }
    contents = Dictionary(uniqueKeysWithValues: sorted.map { ($0.path, $0.content) })
    var segments: [Segment] = []
    var inventory = Inventory()
    var places: [[UInt8]: Int] = [:]
    var directories: [Sample] = []
    func close(isLast: Bool) {
      segments.append(
        Segment(
          index: segments.count,
          isLast: isLast,
          inventory: inventory,
          blockByteCount: blockByteCount
        )
      )
      inventory = Inventory()
      places = [:]
    }
    func add(_ sample: Sample, isContext: Bool) {
      var entry = sample.entry
      entry.isContext = isContext
      let slash = sample.path.lastIndex(of: UInt8(ascii: "/"))
      let parent = slash.map { Array(sample.path[..<$0]) } ?? []
      entry.parent = sample.path.isEmpty ? nil : places[parent]
      let name = sample.path[(slash.map { $0 + 1 } ?? 0)...]
      places[sample.path] = inventory.append(entry, name: name, attributes: sample.attributes)
    }
    for sample in sorted {
      if starts.contains(where: { Array($0.utf8) == sample.path }) {
        close(isLast: false)
        for directory in directories
        where directory.path.isEmpty || sample.path.starts(with: directory.path + [0x2F]) {
          add(directory, isContext: true)
        }
      }
      add(sample, isContext: false)
      if sample.entry.kind == .directory { directories.append(sample) }
    }
    close(isLast: true)
    self.segments = segments
  }

  /// The bytes of an extent.
  func bytes(_ segment: Segment, _ extent: Int) -> [UInt8] {
    let found = segment.extents[extent]
    let content = contents[segment.inventory.path(of: Int(found.entry))] ?? []
    return Array(content[Int(found.offset)..<Int(found.end)])
  }

  func digest(_ segment: Segment, _ extent: Int) -> Digest {
    Digest.xxh3(of: bytes(segment, extent))
  }
}
