//! `aligndraw serve`: the page, the package and the models over HTTP.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use clap::Args as ClapArgs;
use tower_http::services::{ServeDir, ServeFile};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::cli::output::say;

/// What the page may do: its own scripts, WebAssembly, its own worker and downloads. Pictures are
/// saved from object URLs.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
     worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
     manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";
/// What the page for frames may do: other sites show it. In a sandbox it has no origin: its worker begins
/// with an object URL, and 'self' allows that worker no download.
const FRAME_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
     worker-src 'self' blob:; connect-src *; style-src 'self'; img-src 'self' blob: data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors *";

#[derive(ClapArgs)]
pub struct Args {
    /// Port; 0 picks a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Address to listen on; only this machine can reach the default
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Folder that holds www/, pkg/ and models/
    #[arg(long, default_value = ".")]
    root: PathBuf,
}

/// Serves until interrupted.
pub fn run(args: Args) -> Result<()> {
    for needed in ["www", "pkg", "models/index.json"] {
        let path = args.root.join(needed);
        if !path.exists() {
            let path = path.display();
            bail!("{path} is missing: run `make web` in the project's folder, or name it with --root");
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("starting the server's runtime")?;
    runtime.block_on(serve(args))
}

async fn serve(args: Args) -> Result<()> {
    let address = SocketAddr::new(args.host, args.port);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on {address} (--port names another)"))?;
    let address = listener.local_addr().context("the address that was bound")?;
    say!("http://{address}");
    let stopped = async {
        // Without a signal handler Ctrl-C still ends the process.
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, router(&args.root)).with_graceful_shutdown(stopped).await.context("serving")
}

fn router(root: &std::path::Path) -> Router {
    let folder = |name: &str| ServeDir::new(root.join(name)).precompressed_br();
    let fixed = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
    };
    let frame = Router::new()
        .route_service("/embed.html", ServeFile::new(root.join("www/embed.html")))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, FRAME_SECURITY_POLICY));
    let pages = Router::new()
        .nest_service("/pkg", folder("pkg"))
        .nest_service("/models", folder("models"))
        .fallback_service(folder("www"))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY));
    frame
        .merge(pages)
        // Files keep their names from build to build: ask each time, get 304 when nothing changed.
        .layer(fixed(header::CACHE_CONTROL, "no-cache"))
        // Everything here is public: other sites embed it.
        .layer(fixed(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .method_not_allowed_fallback(|| async { StatusCode::METHOD_NOT_ALLOWED })
}
