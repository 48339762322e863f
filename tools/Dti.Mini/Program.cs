Console.WriteLine("dti-mini");
