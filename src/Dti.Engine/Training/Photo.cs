namespace Dti.Engine.Training;

/// <summary>A photo of the concept, as the user sent it.</summary>
/// <param name="Name">The file's name, for messages only; never used as a path.</param>
/// <param name="Data">The file: JPEG, PNG, WebP, BMP or GIF.</param>
/// <param name="Mask">An image of the same shape, white where the concept is and black where it is not; null: all of
/// the photo counts.</param>
/// <param name="Caption">What the photo shows, in place of a template; says where the concept is named (<see
/// cref="PromptTemplates.Parse"/>). Null: a template.</param>
public sealed record Photo(string Name, byte[] Data, byte[]? Mask = null, string? Caption = null);

/// <summary>
/// A square cut from a resized photo; equal by value, and so the key under which its latents can be kept.
/// </summary>
/// <param name="PhotoIndex">Which photo, from 0.</param>
/// <param name="Top">First row in the resized photo.</param>
/// <param name="Left">First column in the resized photo.</param>
/// <param name="Flip">Whether the square is then mirrored left to right.</param>
public sealed record PhotoCrop(int PhotoIndex, int Top, int Left, bool Flip);
