"""PSNR and SSIM on benchmark sets, and what a precision costs there."""
