namespace Dti.Engine.Training;

/// <summary>A photo of the concept, as the user sent it.</summary>
/// <param name="Name">The file's name, for messages only; never used as a path.</param>
/// <param name="Data">The file: JPEG, PNG, WebP, BMP or GIF.</param>
public sealed record Photo(string Name, byte[] Data);

/// <summary>A square cut from a resized photo; equal by value, and so the key under which its latents can be kept.</summary>
/// <param name="PhotoIndex">Which photo, from 0.</param>
/// <param name="Top">First row in the resized photo.</param>
/// <param name="Left">First column in the resized photo.</param>
/// <param name="Flip">Whether the square is then mirrored left to right.</param>
public sealed record PhotoCrop(int PhotoIndex, int Top, int Left, bool Flip);
