//! The inner loop of the search: the dot product of a stored feature vector with the query.
//!
//! Converting from float16 first and then multiplying takes two to three times as long, and a portable x86-64 build
//! must not use the fused instructions; so they are detected at run time. Otherwise the plain loop is used.

use half::f16;
use half::slice::HalfFloatSliceExt as _;

/// Numbers converted at a time in the plain loop: they stay in the processor's cache.
const BLOCK: usize = 64;

/// The dot product of a vector with the query, and with itself.
pub fn dot_and_square(stored: &[f16], query: &[f32]) -> (f32, f32) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c")
    {
        #[expect(unsafe_code, reason = "the compiler cannot know the processor")]
        // SAFETY: the processor supports the instructions that the function needs, as was just checked.
        return unsafe { x86::dot_and_square(stored, query) };
    }
    plain(stored, query)
}

fn plain(stored: &[f16], query: &[f32]) -> (f32, f32) {
    let mut values = [0.0; BLOCK];
    let (mut dots, mut squares) = ([0.0; 8], [0.0; 8]);
    for (stored, query) in stored.chunks(BLOCK).zip(query.chunks(BLOCK)) {
        let values = &mut values[..stored.len()];
        stored.convert_to_f32_slice(values);
        for (values, query) in values.chunks(8).zip(query.chunks(8)) {
            for (lane, (value, query)) in values.iter().zip(query).enumerate() {
                dots[lane] += value * query;
                squares[lane] += value * value;
            }
        }
    }
    (dots.iter().sum(), squares.iter().sum())
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m128i, __m256, _mm256_add_ps, _mm256_cvtph_ps, _mm256_fmadd_ps, _mm256_setzero_ps,
    };

    use half::f16;

    /// Numbers per round: four registers of eight hide the latency of an addition.
    const ROUND: usize = 32;

    #[target_feature(enable = "avx2,fma,f16c")]
    pub fn dot_and_square(stored: &[f16], query: &[f32]) -> (f32, f32) {
        let (mut dots, mut squares) = ([_mm256_setzero_ps(); 4], [_mm256_setzero_ps(); 4]);
        let (rounds, rest) = stored.as_chunks::<ROUND>();
        let (query_rounds, query_rest) = query.as_chunks::<ROUND>();
        for (stored, query) in rounds.iter().zip(query_rounds) {
            let stored: [__m128i; 4] = bytemuck::cast(*stored);
            let query: [__m256; 4] = bytemuck::cast(*query);
            for i in 0..4 {
                let values = _mm256_cvtph_ps(stored[i]);
                dots[i] = _mm256_fmadd_ps(values, query[i], dots[i]);
                squares[i] = _mm256_fmadd_ps(values, values, squares[i]);
            }
        }
        let (dot, square) = super::plain(rest, query_rest);
        (dot + sum(dots), square + sum(squares))
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    fn sum([a, b, c, d]: [__m256; 4]) -> f32 {
        let lanes: [f32; 8] = bytemuck::cast(_mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d)));
        lanes.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_gives_the_product() {
        for length in [0, 1, 7, 8, 31, 32, 33, 64, 100, 512, 2048] {
            let stored: Vec<f16> = (0..length).map(|i| f16::from_f32((i as f32 * 0.7).sin() * 3.0)).collect();
            let query: Vec<f32> = (0..length).map(|i| (i as f32 * 0.3).cos()).collect();
            let pairs = || stored.iter().map(|value| value.to_f64()).zip(query.iter().map(|q| f64::from(*q)));
            let expected: (f64, f64) = (pairs().map(|(v, q)| v * q).sum(), pairs().map(|(v, _)| v * v).sum());
            for (dot, square) in [dot_and_square(&stored, &query), plain(&stored, &query)] {
                assert!((f64::from(dot) - expected.0).abs() < 1e-3, "{length}: {dot} {expected:?}");
                assert!((f64::from(square) - expected.1).abs() <= 1e-5 * expected.1, "{length}: {square}");
            }
        }
    }
}
