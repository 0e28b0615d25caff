import Comparison
import Testing

@Suite struct DatasetTests {
  @Test func theSetsAreWhatTheyAreCalled() {
    let sets = Dataset.Name.allCases.map { Dataset($0, scale: 1, seed: 1) }
    #expect(
      sets.map { $0.summary } == ["1 x 8 GiB", "64 x 64 MiB", "20000 x 16 KiB", "1 x 2 GiB"]
    )
  }

  @Test func aScaleShortensThem() {
    let sets = Dataset.Name.allCases.map { Dataset($0, scale: 0.25, seed: 1) }
    #expect(
      sets.map { $0.summary } == ["1 x 2 GiB", "16 x 64 MiB", "5000 x 16 KiB", "1 x 512 MiB"]
    )
  }

  @Test func everyFileLiesInADirectoryThatIsMade() {
    let small = Dataset(.small, scale: 0.06, seed: 1)
    #expect(small.fileCount == 1200)
    #expect(small.directories == ["directory-000", "directory-001"])
    #expect(small.path(of: 999) == "directory-000/file-000999")
    #expect(small.path(of: 1000) == "directory-001/file-001000")
    #expect(Dataset(.medium, scale: 1, seed: 1).directories == [])
  }

  @Test(arguments: [Dataset.Name.medium, .noise])
  func theSameSeedMakesTheSameBytes(_ name: Dataset.Name) {
    let first = DatasetWriter(Dataset(name, scale: 1, seed: 7))
    let other = DatasetWriter(Dataset(name, scale: 1, seed: 8))
    let bytes = first.bytes(of: 0, at: 0, byteCount: 4096)
    #expect(
      DatasetWriter(Dataset(name, scale: 1, seed: 7)).bytes(of: 0, at: 0, byteCount: 4096) == bytes
    )
    #expect(other.bytes(of: 0, at: 0, byteCount: 4096) != bytes)
    #expect(first.bytes(of: 1, at: 0, byteCount: 4096) != bytes)
    // A part by itself is what it is in the whole.
    #expect(first.bytes(of: 0, at: 1024, byteCount: 64) == Array(bytes[1024..<1088]))
  }

  @Test func noiseIsNearlyGaussian() {
    let bytes = DatasetWriter(Dataset(.noise, scale: 1, seed: 1))
      .bytes(of: 0, at: 0, byteCount: 1 << 20)
    let samples = stride(from: 0, to: bytes.count, by: 2).map { place in
      Double(Int16(truncatingIfNeeded: Int(bytes[place]) | Int(bytes[place + 1]) << 8))
    }
    let count = Double(samples.count)
    let mean = samples.reduce(0, +) / count
    let variance = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    #expect(abs(mean) < 1)
    #expect(variance > 1580 && variance < 1690)
    // Of a Gaussian, 68.3 % lie within one deviation and 95.4 % within two.
    let deviation = variance.squareRoot()
    let within = [1.0, 2.0].map { bound in
      Double(samples.count { abs($0 - mean) <= bound * deviation }) / count
    }
    #expect(within[0] > 0.64 && within[0] < 0.71)
    #expect(within[1] > 0.94 && within[1] < 0.97)
  }
}
