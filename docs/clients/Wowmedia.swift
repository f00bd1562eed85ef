// Wowmedia for iOS 15 and macOS 12: copy this file. Foundation only.
import Foundation

struct Tokens: Codable, Sendable {
    let access_token: String
    let refresh_token: String
}

/// Where the tokens are kept: the Keychain (kSecAttrAccessibleAfterFirstUnlock, so that background work can read them).
protocol TokenStore: Sendable {
    func read() async throws -> Tokens?
    /// Returns once they are kept for good; nil removes them.
    func write(_ tokens: Tokens?) async throws
}

/// An error of the API; decide by `code`.
struct WowmediaError: Error, Decodable {
    let code: String
    let detail: String
    let retryable: Bool
    let sign_in_again: Bool
}

struct SignedOut: Error {}

struct Upload: Decodable {
    let id: String
    let upload_url: URL
}

actor Wowmedia {
    private let base: URL
    private let store: TokenStore
    private let session: URLSession
    private var refreshing: Task<String, Error>?

    init(base: URL, store: TokenStore, session: URLSession = .shared) {
        self.base = base
        self.store = store
        self.session = session
    }

    /// `/registration` or `/login`.
    func signIn(_ path: String = "/login", username: String, password: String) async throws {
        let body = try JSONEncoder().encode(["username": username, "password": password])
        let answer = try await send(made("POST", path, json: body))
        try await store.write(try JSONDecoder().decode(Tokens.self, from: answer))
    }

    /// Ends the session on the server, then forgets the tokens.
    func signOut() async throws {
        guard let tokens = try await store.read() else { return }
        _ = try await send(made("POST", "/logout/refresh"), token: tokens.refresh_token)
        try await store.write(nil)
    }

    /// A call with the access token; one refresh where that is old.
    func call(_ request: URLRequest) async throws -> Data {
        guard let tokens = try await store.read() else { throw SignedOut() }
        do {
            do {
                return try await send(request, token: tokens.access_token)
            } catch let error as WowmediaError
                where error.code == "token_expired" || error.code == "token_invalid" {
                return try await send(request, token: try await freshToken(after: tokens.access_token))
            }
        } catch let error as WowmediaError
            where error.sign_in_again && error.code != "reauthentication_required" {
            try await store.write(nil)
            throw error
        }
    }

    func photos() async throws -> Data {
        try await call(made("GET", "/photos"))
    }

    /// One refresh, for however many calls wait for it.
    private func freshToken(after old: String) async throws -> String {
        if let running = refreshing { return try await running.value }
        let task = Task { try await self.refresh(after: old) }
        refreshing = task
        defer { refreshing = nil }
        return try await task.value
    }

    private func refresh(after old: String) async throws -> String {
        guard let stored = try await store.read() else { throw SignedOut() }
        if stored.access_token != old { return stored.access_token }
        // A lost answer is asked for again with the same token: the next call does that.
        let answer = try await send(made("POST", "/token/refresh"), token: stored.refresh_token)
        let tokens = try JSONDecoder().decode(Tokens.self, from: answer)
        try await store.write(tokens) // before the access token is used
        return tokens.access_token
    }

    /// Uploads a file while the app is not running. Keep `key` with the file until the delegate has the answer: on 401 start
    /// again after `photos()` has made new tokens, on a lost answer at once; with the same key it is the same photo.
    func uploadInBackground(_ file: URL, type: String, key: String, in background: URLSession) async throws {
        guard let tokens = try await store.read() else { throw SignedOut() }
        var request = made("POST", "/file")
        request.setValue(type, forHTTPHeaderField: "Content-Type")
        request.setValue(key, forHTTPHeaderField: "Idempotency-Key")
        request.setValue("Bearer \(tokens.access_token)", forHTTPHeaderField: "Authorization")
        background.uploadTask(with: request, fromFile: file).resume()
    }

    /// A large photo, straight into the bucket; called again with the same key, it goes on where it was.
    func uploadLarge(_ file: URL, type: String, key: String) async throws -> Data {
        let data = try Data(contentsOf: file, options: .mappedIfSafe)
        let announced: [String: Any] = [
            "content_type": type, "bytes": data.count, "original_name": file.lastPathComponent,
        ]
        var announce = made("POST", "/uploads", json: try JSONSerialization.data(withJSONObject: announced))
        announce.setValue(key, forHTTPHeaderField: "Idempotency-Key")
        let upload = try JSONDecoder().decode(Upload.self, from: try await call(announce))
        var at = try await put(Data(), range: "*", of: data.count, to: upload.upload_url)
        while at < data.count {
            let end = min(at + 8 * 1024 * 1024, data.count) // pieces of a multiple of 256 KiB
            at = try await put(data[at..<end], range: "\(at)-\(end - 1)", of: data.count, to: upload.upload_url)
        }
        return try await call(made("POST", "/uploads/\(upload.id)/complete"))
    }

    /// Sends a piece, or with `*` asks; without our token. How many bytes have arrived: 308 says it in `Range`.
    private func put(_ piece: Data, range: String, of total: Int, to url: URL) async throws -> Int {
        var request = URLRequest(url: url)
        request.httpMethod = "PUT"
        request.setValue("bytes \(range)/\(total)", forHTTPHeaderField: "Content-Range")
        let (_, response) = try await session.upload(for: request, from: piece)
        guard let answer = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
        if answer.statusCode == 200 || answer.statusCode == 201 { return total }
        guard answer.statusCode == 308 else { throw URLError(.badServerResponse) }
        guard let last = answer.value(forHTTPHeaderField: "Range")?.split(separator: "-").last else { return 0 }
        return (Int(last) ?? -1) + 1
    }

    private func made(_ method: String, _ path: String, json: Data? = nil) -> URLRequest {
        var request = URLRequest(url: URL(string: base.absoluteString + path)!)
        request.httpMethod = method
        request.httpBody = json
        if json != nil { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
        return request
    }

    private func send(_ plain: URLRequest, token: String? = nil) async throws -> Data {
        var request = plain
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        let (data, response) = try await session.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        if status >= 400 { throw try JSONDecoder().decode(WowmediaError.self, from: data) }
        return data
    }
}
