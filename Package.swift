// swift-tools-version: 6.2
import PackageDescription

/// Imports are the architecture: what a file does not import, it cannot use.
let house: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// The rooms that decide have no use for a pointer, and may not name one without saying `unsafe`.
let pure: [SwiftSetting] = house + [.strictMemorySafety()]

let package = Package(
  name: "dtx",
  products: [
    .executable(name: "dtx", targets: ["dtx"]),
    // For LD_PRELOAD in tests: what a program does to its files, and calls that fail.
    .`library`(name: "faults", type: .dynamic, targets: ["CFaults"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // Exact, because RecordCipher.swift calls the package's BoringSSL, which is no stable product.
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
  ],
  targets: [
    .target(name: "CXXHash"),
    // The archives, so that the binary runs where these libraries are not installed.
    .target(name: "CLiburing", linkerSettings: [.linkedLibrary(":liburing.a")]),
    .target(name: "CZstd", linkerSettings: [.linkedLibrary(":libzstd.a")]),

    .target(name: "DTXCore", dependencies: ["CXXHash"], swiftSettings: pure),
    .target(name: "DTXLinux", dependencies: ["CLiburing"], swiftSettings: house),
    .target(
      name: "DTXEngine",
      dependencies: [
        "DTXCore", "DTXLinux", "CZstd", .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: house
    ),
    .target(name: "DTXSimulator", dependencies: ["DTXCore"], swiftSettings: pure),
    .executableTarget(
      name: "dtx",
      dependencies: [
        "DTXEngine", "DTXSimulator", "DTXCore", "DTXLinux",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: house
    ),

    .testTarget(name: "DTXCoreTests", dependencies: ["DTXCore"], swiftSettings: house),
    .testTarget(name: "DTXLinuxTests", dependencies: ["DTXLinux"], swiftSettings: house),
    .testTarget(
      name: "DTXEngineTests",
      dependencies: ["DTXEngine", "DTXCore", "DTXLinux"],
      swiftSettings: house
    ),
    .testTarget(
      name: "DTXSimulatorTests",
      dependencies: ["DTXSimulator", "DTXCore"],
      swiftSettings: house
    ),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "dtx", "DTXEngine", "DTXSimulator", "DTXCore", "DTXLinux",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: house
    ),
    .target(name: "CFaults", path: "Tests/CFaults"),
    .testTarget(name: "RepositoryTests", swiftSettings: house),
    // What the fuzzed decoders are held to, and the inputs that were kept; Tests/Fuzz/README.md.
    .testTarget(
      name: "CorpusTests",
      dependencies: ["DTXSimulator", "DTXCore"],
      path: "Tests/Fuzz",
      exclude: [
        "Corpus", "Package.swift", "README.md", "run", "Sources/CXXHash", "Sources/DTXCore",
        "Sources/DTXSimulator", "Sources/dtx-fuzz",
      ],
      sources: ["Sources/Decoders", "Tests"],
      swiftSettings: house
    ),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
